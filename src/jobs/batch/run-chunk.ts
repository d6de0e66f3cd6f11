import { defaultChoice } from '../../classify/choice.ts';
import { CodedError } from '../../errors.ts';
import { batchChunkItems, edgeGroupItems, maxItemAttempts } from '../../limits.ts';
import { toProblem } from '../../problem.ts';
import { type ChunkItem, type ChunkRunner, TierTrouble } from '../../tier/client/chunk-runner.ts';
import type { Batch, Chunk, ChunkMessage, Trouble } from './batch.ts';
import type { BatchStore } from './batch-store.ts';
import type { ChunkStore } from './chunk-store.ts';
import type { ImageGatherer } from './image-gatherer.ts';
import { type BatchItemResult, type ChunkResults, type NamedResult, toNamedResult } from './named-results.ts';
import type { ResultsStore } from './results-store.ts';

export interface RunServices {
  readonly store: BatchStore;
  readonly chunks: ChunkStore;
  readonly results: ResultsStore;
  readonly gatherer: ImageGatherer;
  readonly runnerOf: (batch: Batch) => ChunkRunner<BatchItemResult>;
}

export interface ChunkOutcome {
  /** False: the message has to come again. */
  readonly settled: boolean;
  /** The delay that the failing service asked for. */
  readonly retryAfterSeconds?: number | undefined;
}

/**
 * Runs the items of a chunk that have no result yet. It stores results first, then the counters, and then the message is
 * acknowledged. If it is cut short anywhere, a repetition finds the stored results and goes on. If a message comes twice,
 * no item runs twice.
 *
 * @param attempt of the message, from 1. Later attempts send fewer images at once, and at last single ones, so that an
 *   image that kills the tier does not fail the others.
 */
export async function runChunk(
  { batch_id: batchId, chunk: number }: ChunkMessage,
  attempt: number,
  services: RunServices,
): Promise<ChunkOutcome> {
  const { store, chunks, results } = services;
  const batch = await store.find(batchId);
  if (!batch || batch.status === 'canceled') return { settled: true };
  // The message came before the statement that accepts the batch.
  if (batch.status === 'starting') return { settled: false };
  const chunk = await chunks.find(batchId, number);
  if (!chunk) return { settled: true };

  const stored = await results.read(batchId, number);
  const run = new ChunkRun(chunk, stored, services);
  const runner = services.runnerOf(batch);
  const whole = runner.tier === 'edge' ? edgeGroupItems : batchChunkItems;
  const size = attempt <= 1 ? whole : attempt === 2 ? whole / 4 : 1;
  let trouble: TierTrouble | undefined;
  for (const group of groups(run.pending(), size)) {
    trouble = await run.runGroup(batch, group);
    // Stores the results now, because this invocation may use up its CPU time in the next group.
    if (runner.tier === 'edge') await results.add(batchId, number, run.results);
    if (trouble && !trouble.died) break;
  }
  return await settle(batch, chunk, run, trouble, services);
}

async function settle(
  batch: Batch,
  { batchId, chunk, inputs }: Chunk,
  run: ChunkRun,
  trouble: TierTrouble | undefined,
  { store, chunks, results }: RunServices,
): Promise<ChunkOutcome> {
  const all = await results.add(batchId, chunk, run.results);
  const failed = [...all.values()].filter((result) => 'problem' in result).length;
  await chunks.settle(batchId, chunk, { succeeded: all.size - failed, failed }, run.troubles);
  const holdup = trouble ? `tier_${trouble.code}` : run.storageFailed ? 'storage_unavailable' : undefined;
  if (holdup && batch.status === 'processing') await store.noteTrouble(batchId, holdup);
  return {
    settled: all.size === inputs.length,
    retryAfterSeconds: trouble?.retryAfterSeconds ?? run.retryAfterSeconds,
  };
}

/** One attempt at a chunk: the items with a result, and the items with trouble. */
class ChunkRun {
  readonly results: Map<number, NamedResult>;
  readonly troubles: Record<string, Trouble>;
  retryAfterSeconds: number | undefined;
  /** Whether R2 could not be read. That never counts as a failure of an item. */
  storageFailed = false;
  readonly #chunk: Chunk;
  readonly #services: RunServices;

  constructor(chunk: Chunk, stored: ChunkResults, services: RunServices) {
    this.#chunk = chunk;
    this.#services = services;
    this.results = new Map(stored);
    this.troubles = { ...chunk.troubles };
  }

  /** Item indices without a result, ascending. */
  pending(): number[] {
    const { firstIndex, inputs } = this.#chunk;
    return inputs.map((_, place) => firstIndex + place).filter((index) => !this.results.has(index));
  }

  /** @returns the tier's trouble, if it had one. */
  async runGroup(batch: Batch, group: readonly number[]): Promise<TierTrouble | undefined> {
    const { model, modelVersion, topK } = batch;
    const runner = this.#services.runnerOf(batch);
    const sent: number[] = [];
    try {
      const items = this.#gather(group, sent);
      const outcomes = runner.run({ model, modelVersion, topK, ...defaultChoice }, group.length, items);
      for await (const { index, result } of outcomes) {
        // Ignores a result for an item that the tier was not given.
        if (group.includes(index) && !this.results.has(index)) this.#finish(index, result);
      }
      const silent = sent.filter((index) => !this.results.has(index));
      if (silent.length > 0) return new TierTrouble('garbage', `The tier left out ${silent.length} items.`);
      return undefined;
    } catch (error) {
      if (!(error instanceof TierTrouble)) throw error;
      const [alone] = sent.length === 1 ? sent : [];
      if (error.died && alone !== undefined && !this.results.has(alone)) {
        this.#blame(alone, new CodedError('batch_tier_unavailable', `The batch tier died: ${error.message}`));
      }
      return error;
    }
  }

  async *#gather(group: readonly number[], sent: number[]): AsyncGenerator<ChunkItem, void, undefined> {
    const { batchId, firstIndex, inputs } = this.#chunk;
    for (const index of group) {
      let bytes: Uint8Array;
      try {
        bytes = await this.#services.gatherer.gather(batchId, inputs[index - firstIndex]!);
      } catch (error) {
        if (error instanceof CodedError) this.#blame(index, error);
        else this.storageFailed = true;
        continue;
      }
      sent.push(index);
      yield { index, bytes };
    }
  }

  /** Counts a failure of the item: a final one, or one that may pass and is tried a few times. */
  #blame(index: number, error: CodedError): void {
    const mayPass = error.retryAfterSeconds !== undefined || passing.has(error.code);
    const attempts = (this.troubles[index]?.attempts ?? 0) + 1;
    if (!mayPass || attempts >= maxItemAttempts) {
      this.#finish(index, { problem: toProblem(error) });
      return;
    }
    const { code, detail } = toProblem(error);
    this.troubles[index] = { attempts, code, detail };
    if (error.retryAfterSeconds !== undefined) {
      this.retryAfterSeconds = Math.max(this.retryAfterSeconds ?? 0, error.retryAfterSeconds);
    }
  }

  #finish(index: number, result: BatchItemResult): void {
    const { firstIndex, inputs } = this.#chunk;
    this.results.set(index, toNamedResult(result, inputs[index - firstIndex]!));
    delete this.troubles[index];
  }
}

/** Failures that may pass, although they come without a time for the next attempt. */
const passing: ReadonlySet<string> = new Set(['batch_tier_unavailable', 'url_unreachable']);

function groups(indices: readonly number[], size: number): number[][] {
  return Array.from({ length: Math.ceil(indices.length / size) }, (_, group) =>
    indices.slice(group * size, (group + 1) * size),
  );
}
