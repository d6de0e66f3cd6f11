import type { Message, Queue } from '@cloudflare/workers-types';
import type { Gate } from '../../classify/gate.ts';
import { CodedError } from '../../errors.ts';
import type { Log } from '../../lib/observe/write-log.ts';
import { importMessageItems, maxLessonMs } from '../../limits.ts';
import { toProblem } from '../../problem.ts';
import { retryDelay } from '../batch/consume-chunks.ts';
import { type LessonMessage, lessonMessageSchema } from './classifier.ts';
import { type ImportServices, runImports } from './run-import.ts';
import { type LessonServices, runLesson } from './run-lesson.ts';

export interface ConsumeServices extends LessonServices, ImportServices {
  readonly queue: Queue<LessonMessage>;
  /** Lets one lesson run at a time, because a lesson's memory is budgeted once. */
  readonly lessons: Gate;
  /** Called when a classifier's new version answers. */
  readonly onServed: (classifier: string) => void;
  readonly retryBaseSeconds: number;
  readonly log: Log;
}

/** The queue's consumer: each message is acknowledged or sent back by itself. */
export async function consumeLessons(
  messages: readonly Message<unknown>[],
  services: ConsumeServices,
): Promise<void> {
  for (const message of messages) {
    const parsed = lessonMessageSchema.safeParse(message.body);
    if (!parsed.success) {
      services.log('error', { event: 'queue_message_invalid', id: message.id });
      message.ack();
      continue;
    }
    if (await consume(parsed.data, message.attempts, services)) message.ack();
    else message.retry({ delaySeconds: retryDelay(message.attempts, services.retryBaseSeconds) });
  }
}

async function consume(
  message: LessonMessage,
  attempts: number,
  services: ConsumeServices,
): Promise<boolean> {
  const { log } = services;
  try {
    if ('imports' in message) {
      // Only at the first attempt, because each call begins another sequence of messages.
      if (attempts === 1) await sendNextImports(message.classifier, services);
      return await runImports(message.classifier, message.imports, services);
    }
    await learn(message.classifier, message.version, services);
    return true;
  } catch (error) {
    log('error', { event: 'lesson_failed', ...message, attempts, error });
    return false;
  }
}

/**
 * Sends the message of the next few imports of a classifier, if there are any. An import of a thousand photos has one
 * message in the queue at a time, and not sixty, so other callers need not wait for all of it. This message is sent
 * before the photos of the previous one are fetched, so that another consumer can take it at once. If it is lost, the
 * sweep sends it again.
 */
export async function sendNextImports(
  classifier: string,
  { imports, queue }: Pick<ConsumeServices, 'imports' | 'queue'>,
): Promise<void> {
  const next = await imports.claimUnsent(classifier, importMessageItems);
  if (next.length > 0) await queue.send({ classifier, imports: next }, { contentType: 'json' });
}

/** @throws an error that may pass, after which the message comes again. */
async function learn(classifier: string, version: number, services: ConsumeServices): Promise<void> {
  const { versions, lessons, onServed, log } = services;
  const leave = await lessons.enter(1, { deadline: Date.now() + maxLessonMs });
  try {
    const isAgain = await runLesson(classifier, version, services);
    onServed(classifier);
    log('info', { event: 'lesson_finished', classifier, version });
    if (isAgain) await requestLesson(classifier, services);
  } catch (error) {
    if (!(error instanceof CodedError) || error.retryAfterSeconds !== undefined) throw error;
    const { code, detail } = toProblem(error);
    const isAgain = await versions.fail(classifier, version, { code, detail });
    log('error', { event: 'lesson_given_up', classifier, version, code });
    if (isAgain) await requestLesson(classifier, services);
  } finally {
    leave();
  }
}

/**
 * Asks for a version that learns from the current examples.
 *
 * @returns its number. If a version is being trained, the number of that one.
 * @throws {CodedError} `classifier_unknown`.
 */
export async function requestLesson(
  classifier: string,
  { versions, queue }: Pick<ConsumeServices, 'versions' | 'queue'>,
): Promise<number> {
  const requested = await versions.request(classifier);
  if (!requested) throw new CodedError('classifier_unknown', 'There is no classifier of this id.');
  const { version, isNew } = requested;
  if (isNew) {
    // If this message is lost, the sweep sends it again.
    await queue.send({ classifier, version }, { contentType: 'json' });
    await versions.markSent(classifier, version);
  }
  return version;
}

/**
 * The dead-letter queue's consumer: it marks a lesson that the queue has given up as failed. If somebody has asked for
 * another version meanwhile, it asks for that version again.
 */
export async function consumeDeadLessons(
  messages: readonly Message<unknown>[],
  services: Pick<ConsumeServices, 'versions' | 'imports' | 'queue' | 'log'>,
): Promise<void> {
  const error = { code: 'batch_retries_exhausted', detail: 'Given up after many attempts.' };
  for (const message of messages) {
    const parsed = lessonMessageSchema.safeParse(message.body);
    if (parsed.success) {
      const { data } = parsed;
      services.log('error', { event: 'lesson_given_up', ...data });
      if ('imports' in data) for (const id of data.imports) await services.imports.fail(id, error);
      else if (await services.versions.fail(data.classifier, data.version, error))
        await requestLesson(data.classifier, services);
    }
    message.ack();
  }
}
