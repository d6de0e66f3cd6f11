import type { Message } from '@cloudflare/workers-types';
import { CodedError } from '../../errors.ts';
import type { Log } from '../../lib/observe/write-log.ts';
import { maxRetryDelaySeconds } from '../../limits.ts';
import { toProblem } from '../../problem.ts';
import { chunkMessageSchema } from './batch.ts';
import { type NamedResult, toNamedResult } from './named-results.ts';
import { type RunServices, runChunk } from './run-chunk.ts';

export interface ConsumeOptions {
  /** Chunks of one queue batch that are worked on at once. */
  readonly concurrency: number;
  /** The first retry's delay; each later one doubles it. */
  readonly retryBaseSeconds: number;
  readonly log: Log;
  /** Called after a chunk of a batch was settled, because the batch may have ended and have a webhook to send. */
  readonly onSettled: (batchId: string) => Promise<void>;
}

/** Finds the services for a batch. @throws {Error} if its database cannot be reached; the message comes again. */
export type FindRunServices = (batchId: string) => RunServices;

/** The queue's consumer: each message is acknowledged or sent back by itself. */
export async function consumeChunks(
  messages: readonly Message<unknown>[],
  findServices: FindRunServices,
  options: ConsumeOptions,
): Promise<void> {
  const waiting = [...messages];
  const work = async () => {
    for (let message = waiting.shift(); message; message = waiting.shift()) {
      await consume(message, findServices, options);
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, work));
}

async function consume(
  message: Message<unknown>,
  findServices: FindRunServices,
  { retryBaseSeconds, log, onSettled }: ConsumeOptions,
): Promise<void> {
  const parsed = chunkMessageSchema.safeParse(message.body);
  if (!parsed.success) {
    // No message of ours, so no batch waits for it. It is acknowledged so that it does not come again.
    log('error', { event: 'queue_message_invalid', id: message.id });
    message.ack();
    return;
  }
  let retryAfterSeconds: number | undefined;
  try {
    const services = findServices(parsed.data.batch_id);
    const outcome = await runChunk(parsed.data, message.attempts, services);
    if (outcome.settled) {
      await onSettled(parsed.data.batch_id);
      message.ack();
      return;
    }
    retryAfterSeconds = outcome.retryAfterSeconds;
  } catch (error) {
    log('error', { event: 'chunk_failed', ...parsed.data, attempts: message.attempts, error });
  }
  const delaySeconds = retryDelay(message.attempts, retryBaseSeconds, retryAfterSeconds);
  log('info', {
    event: 'chunk_retried',
    ...parsed.data,
    attempts: message.attempts,
    delay_seconds: delaySeconds,
  });
  message.retry({ delaySeconds });
}

/**
 * Exponential from `base`, and at least the delay that was asked for. Up to a fifth is added, so that chunks that
 * failed together do not come back together.
 */
export function retryDelay(
  attempts: number,
  baseSeconds: number,
  retryAfterSeconds = 0,
  random = Math.random(),
): number {
  const backoff = baseSeconds * 2 ** Math.min(attempts - 1, 20);
  const wanted = Math.min(Math.max(backoff, retryAfterSeconds), maxRetryDelaySeconds);
  return Math.ceil(wanted * (1 + random / 5));
}

/**
 * The dead-letter queue's consumer. It marks the items of a chunk that the queue has given up as failed, with the last
 * known reason. Items that have a result keep it.
 */
export async function consumeDeadChunks(
  messages: readonly Message<unknown>[],
  findServices: FindRunServices,
  { retryBaseSeconds, log, onSettled }: ConsumeOptions,
): Promise<void> {
  for (const message of messages) {
    const parsed = chunkMessageSchema.safeParse(message.body);
    if (!parsed.success) {
      message.ack();
      continue;
    }
    try {
      await giveUp(parsed.data.batch_id, parsed.data.chunk, findServices(parsed.data.batch_id));
      await onSettled(parsed.data.batch_id);
      log('error', { event: 'chunk_given_up', ...parsed.data });
      message.ack();
    } catch (error) {
      log('error', { event: 'dead_letter_failed', ...parsed.data, error });
      message.retry({ delaySeconds: retryDelay(message.attempts, retryBaseSeconds) });
    }
  }
}

async function giveUp(batchId: string, number: number, services: RunServices): Promise<void> {
  const { store, chunks, results } = services;
  const batch = await store.find(batchId);
  const chunk = await chunks.find(batchId, number);
  if (!batch || !chunk || batch.status === 'canceled') return;
  const failures = new Map<number, NamedResult>();
  for (const [place, input] of chunk.inputs.entries()) {
    const index = chunk.firstIndex + place;
    const trouble = chunk.troubles[index];
    const reason = trouble ? `${trouble.code}: ${trouble.detail}` : (batch.lastTrouble ?? 'unknown');
    const error = new CodedError('batch_retries_exhausted', `Given up after many attempts. Last: ${reason}`);
    failures.set(index, toNamedResult({ problem: toProblem(error) }, input));
  }
  const all = await results.add(batchId, number, failures);
  const failed = [...all.values()].filter((result) => 'problem' in result).length;
  await chunks.settle(batchId, number, { succeeded: all.size - failed, failed }, {});
}
