import type { ClassifyChoice } from '../../classify/choice.ts';
import type { ItemResult } from '../../classify/classification.ts';
import type { Tier } from '../../protocol/tier/tier.ts';

export interface ChunkItem {
  readonly index: number;
  readonly bytes: Uint8Array;
}

/** One choice and one model for all images of a chunk. */
export interface ChunkOptions extends ClassifyChoice {
  readonly model: string;
  readonly modelVersion: string;
}

/** What works on the images of a chunk: this Worker, or the Node tier. */
export interface ChunkRunner<Result = ItemResult> {
  readonly tier: Tier;
  /**
   * @param count how many items there will be at most.
   * @param items taken one at a time, as fast as the runner can take them.
   * @returns One result for each item that has one for good, in any order.
   * @throws {TierTrouble} (from the iteration) when no more can be had now; items without a result are
   *   to be tried again.
   */
  run(
    options: ChunkOptions,
    count: number,
    items: AsyncIterable<ChunkItem>,
  ): AsyncIterable<{ readonly index: number; readonly result: Result }>;
}

/** The tier failed, which says nothing against any item unless `died`. */
export class TierTrouble extends Error {
  override readonly name = 'TierTrouble';
  /** Stable, shown in the batch: `unreachable`, `busy`, `unauthorized`, `timeout`, `died`, `garbage`, ... */
  readonly code: string;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: string, message: string, options: ErrorOptions & { retryAfterSeconds?: number } = {}) {
    super(message, options);
    this.code = code;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  /** It had accepted the items and then went away: one of them may be the reason. */
  get died(): boolean {
    return this.code === 'died';
  }
}
