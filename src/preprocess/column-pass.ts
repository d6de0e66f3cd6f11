import type { PixelArena } from '../pixel-kernels/pixel-kernels.ts';
import { type ResampleKernel, roundingBias } from './resample-kernel.ts';
import { channels, finishSums, resizeRow } from './resize-row.ts';
import { RowTable } from './row-table.ts';

/** Stored rows that are added at once: each sum is then loaded and stored once for all of them. */
export const batchRows = 4;

/** Sums rows up at their full length, weighted, in slots: one for each line of the crop that is in progress. */
export interface ColumnPass {
  /** Makes `rgb` row `position` of the batch. */
  put(position: number, rgb: Uint8Array): void;
  /** @param weights one for each row of the batch. */
  addBatch(slot: number, weights: Int32Array): void;
  /** Rounds a slot's sums to 8 bits, empties it and resizes the line along the row. */
  finish(slot: number, line: Uint8ClampedArray): void;
}

/**
 * @param alongRow what each finished line is resized with.
 * @param left first pixel of a row that is needed. @param right one past the last.
 * @param slots how many lines are in progress at once.
 */
export function createColumnPass(
  alongRow: ResampleKernel,
  left: number,
  right: number,
  slots: number,
  arena: PixelArena | undefined,
): ColumnPass {
  return arena
    ? new KernelColumnPass(alongRow, left, right, slots, arena)
    : new PlainColumnPass(alongRow, left, right, slots);
}

class PlainColumnPass implements ColumnPass {
  readonly #kernel: ResampleKernel;
  readonly #from: number;
  readonly #length: number;
  readonly #batch: readonly Uint8Array[];
  readonly #sums: readonly Int32Array[];
  /** One line before it is resized: as long as a stored row. */
  readonly #longLine: Uint8ClampedArray;
  readonly #longLineBytes: Uint8Array;

  constructor(kernel: ResampleKernel, left: number, right: number, slots: number) {
    this.#kernel = kernel;
    this.#from = left * channels;
    this.#length = right * channels;
    this.#batch = Array.from({ length: batchRows }, () => new Uint8Array(this.#length));
    this.#sums = Array.from({ length: slots }, () => new Int32Array(this.#length).fill(roundingBias));
    this.#longLine = new Uint8ClampedArray(this.#length);
    this.#longLineBytes = new Uint8Array(this.#longLine.buffer);
  }

  put(position: number, rgb: Uint8Array): void {
    this.#batch[position].set(rgb.subarray(this.#from, this.#length), this.#from);
  }

  addBatch(slot: number, weights: Int32Array): void {
    const sums = this.#sums[slot];
    const [row0, row1, row2, row3] = this.#batch;
    const [weight0, weight1, weight2, weight3] = weights;
    for (let i = this.#from; i < sums.length; i++) {
      sums[i] +=
        Math.imul(row0[i], weight0) +
        Math.imul(row1[i], weight1) +
        Math.imul(row2[i], weight2) +
        Math.imul(row3[i], weight3);
    }
  }

  finish(slot: number, line: Uint8ClampedArray): void {
    finishSums(this.#sums[slot], this.#longLine, 0, this.#length);
    resizeRow(this.#longLineBytes, this.#kernel, line);
  }
}

/** The same by the kernels, in linear memory. */
class KernelColumnPass implements ColumnPass {
  readonly #arena: PixelArena;
  readonly #table: RowTable;
  readonly #from: number;
  readonly #length: number;
  readonly #rowBytes: number;
  readonly #batch: number;
  readonly #sums: number;
  readonly #slotBytes: number;
  readonly #longLine: number;

  constructor(kernel: ResampleKernel, left: number, right: number, slots: number, arena: PixelArena) {
    this.#arena = arena;
    this.#from = left * channels;
    this.#length = right * channels;
    // The kernels take eight samples at once.
    this.#rowBytes = Math.ceil(this.#length / 16) * 16;
    this.#slotBytes = this.#rowBytes * Int32Array.BYTES_PER_ELEMENT;
    this.#table = new RowTable(kernel, arena);
    this.#batch = arena.allocate(this.#rowBytes * batchRows);
    this.#longLine = arena.allocate(this.#rowBytes);
    this.#sums = arena.allocate(this.#slotBytes * slots);
    new Int32Array(arena.bytes.buffer, this.#sums, this.#rowBytes * slots).fill(roundingBias);
  }

  put(position: number, rgb: Uint8Array): void {
    const at = this.#batch + position * this.#rowBytes + this.#from;
    this.#arena.bytes.set(rgb.subarray(this.#from, this.#length), at);
  }

  addBatch(slot: number, [w0, w1, w2, w3]: Int32Array): void {
    const first = Math.floor(this.#from / 16) * 16;
    const sums = this.#sums + slot * this.#slotBytes + first * Int32Array.BYTES_PER_ELEMENT;
    const count = this.#rowBytes - first;
    this.#arena.kernels.add_weighted_rows(sums, this.#batch + first, this.#rowBytes, count, w0, w1, w2, w3);
  }

  finish(slot: number, line: Uint8ClampedArray): void {
    const sums = this.#sums + slot * this.#slotBytes;
    this.#arena.kernels.finish_sums(sums, this.#longLine, this.#rowBytes);
    this.#table.resize(this.#longLine, line);
  }
}
