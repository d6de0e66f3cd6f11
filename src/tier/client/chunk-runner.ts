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

/** Runs the images of a chunk: in this Worker, or on the Node tier. */
export interface ChunkRunner<Result = ItemResult> {
  readonly tier: Tier;
  /**
   * @param count the most items that there will be.
   * @param items read one at a time, as fast as the runner can take them.
   * @returns one final result for each item that has one, in any order.
   * @throws {TierTrouble} (from the iteration) if the tier can give no more results now. Try the items without a result
   *   again.
   */
  run(
    options: ChunkOptions,
    count: number,
    items: AsyncIterable<ChunkItem>,
  ): AsyncIterable<{ readonly index: number; readonly result: Result }>;
}

/** The tier failed. No item is at fault, except perhaps if the tier `died`. */
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

  /** Whether the tier went away after it had accepted the items: one of them may be the reason. */
  get died(): boolean {
    return this.code === 'died';
  }
}
