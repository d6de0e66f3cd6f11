import type { ColourRows } from '../image.ts';
import type { PixelArena } from '../pixel-arena.ts';
import type { ResampleFilter } from './filter.ts';
import { channels } from './resize-row.ts';
import {
  planarWeightsBytes,
  weightTableBytes,
  writePlanarWeights,
  writeWeightTable,
} from './weight-table.ts';

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
  readonly #filter: ResampleFilter;
  readonly #table: number;
  /** What stands in the table, which has room for either: an image comes in one way. */
  #layout: 'interleaved' | 'planar' | undefined;

  constructor(filter: ResampleFilter, arena: PixelArena) {
    this.#arena = arena;
    this.#count = filter.count;
    this.samples = filter.count * channels;
    this.paddedSamples = Math.ceil(this.samples / routineStep) * routineStep;
    this.#filter = filter;
    this.#table = arena.allocate(Math.max(weightTableBytes(filter), planarWeightsBytes(filter)));
    // The routine writes four bytes a pixel, the fourth to be overwritten by the next.
    this.resized = arena.allocate(this.paddedSamples + 1);
  }

  /** @param row address of RGB pixels. @param line receives a copy of the result. */
  resize(row: number, line?: Uint8ClampedArray): void {
    const { routines, bytes } = this.#arena;
    if (this.#layout !== 'interleaved') {
      writeWeightTable(this.#filter, new DataView(bytes.buffer), this.#table);
      this.#layout = 'interleaved';
    }
    routines.resize_row(row, this.#table, this.#count, this.resized);
    line?.set(bytes.subarray(this.resized, this.resized + this.samples));
  }

  /** Likewise of rows in the arena. */
  resizePlanes({ red, green, blue }: ColourRows): void {
    const { routines, bytes } = this.#arena;
    if (this.#layout !== 'planar') {
      const words = planarWeightsBytes(this.#filter) / Int16Array.BYTES_PER_ELEMENT;
      writePlanarWeights(this.#filter, new Int16Array(bytes.buffer, this.#table, words).fill(0));
      this.#layout = 'planar';
    }
    routines.resize_planes(
      red.byteOffset,
      green.byteOffset,
      blue.byteOffset,
      this.#table,
      this.#count,
      this.resized,
    );
  }
}
