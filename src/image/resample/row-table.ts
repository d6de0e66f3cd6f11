import type { PixelArena } from '../pixel-arena.ts';
import type { ResampleFilter } from './filter.ts';
import { channels } from './resize-row.ts';
import { weightTableBytes, writeWeightTable } from './weight-table.ts';

/** Samples that `finish_sums` takes at once; `add_weighted` takes half as many. */
export const routineStep = 16;

/** A resample filter in an arena, and room for one resized row. */
export class RowTable {
  /** Address of the row that was resized last. */
  readonly resized: number;
  /** Its samples, and with those that round them up to what the routines take at once. */
  readonly samples: number;
  readonly paddedSamples: number;
  readonly #arena: PixelArena;
  readonly #count: number;
  readonly #table: number;

  constructor(filter: ResampleFilter, arena: PixelArena) {
    this.#arena = arena;
    this.#count = filter.count;
    this.samples = filter.count * channels;
    this.paddedSamples = Math.ceil(this.samples / routineStep) * routineStep;
    this.#table = arena.allocate(weightTableBytes(filter));
    // The routine writes four bytes a pixel, the fourth to be overwritten by the next.
    this.resized = arena.allocate(this.paddedSamples + 1);
    writeWeightTable(filter, new DataView(arena.bytes.buffer), this.#table);
  }

  /** @param row address of RGB pixels. @param line receives a copy of the result. */
  resize(row: number, line?: Uint8ClampedArray): void {
    const { routines, bytes } = this.#arena;
    routines.resize_row(row, this.#table, this.#count, this.resized);
    line?.set(bytes.subarray(this.resized, this.resized + this.samples));
  }
}
