import type { PixelArena } from '../pixel-arena.ts';
import { type ResampleFilter, roundingBias } from './filter.ts';
import { channels, finishSums, resizeRow } from './resize-row.ts';
import { RowTable, routineStep } from './row-table.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** Stored rows that are added at once: each sum is then loaded and stored once for all of them. */
export const batchRows = 4;

/**
 * Sums rows up before they are resized, weighted, in slots: one for each line of the crop that is in progress.
 * A slot holds what the crop needs of a row and no more: an image that is one pixel high has 224 slots, and
 * may have a row of 65,535.
 *
 * @see Pillow src/libImaging/Resample.c, `ImagingResampleVertical_8bpc`
 */
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
  alongRow: ResampleFilter,
  left: number,
  right: number,
  slots: number,
  arena: PixelArena | undefined,
): ColumnPass {
  return arena
    ? new RoutineColumnPass(alongRow, left, right, slots, arena)
    : new PlainColumnPass(alongRow, left, right, slots);
}

class PlainColumnPass implements ColumnPass {
  readonly #filter: ResampleFilter;
  /** Samples of a row that are needed: where they begin and how many there are. */
  readonly #from: number;
  readonly #count: number;
  readonly #batch: readonly Uint8Array[];
  readonly #sums: readonly Int32Array[];
  /** One line before it is resized; what lies before the samples that are needed is never read. */
  readonly #longLine: Uint8ClampedArray;
  readonly #longLineBytes: Uint8Array;

  constructor(filter: ResampleFilter, left: number, right: number, slots: number) {
    this.#filter = filter;
    this.#from = left * channels;
    this.#count = (right - left) * channels;
    this.#batch = Array.from({ length: batchRows }, () => new Uint8Array(this.#count));
    this.#sums = Array.from({ length: slots }, () => new Int32Array(this.#count).fill(roundingBias));
    this.#longLine = new Uint8ClampedArray(this.#from + this.#count);
    this.#longLineBytes = new Uint8Array(this.#longLine.buffer);
  }

  put(position: number, rgb: Uint8Array): void {
    this.#batch[position]!.set(rgb.subarray(this.#from, this.#from + this.#count));
  }

  addBatch(slot: number, weights: Int32Array): void {
    const sums = this.#sums[slot]!;
    const [row0, row1, row2, row3] = this.#batch as [Uint8Array, Uint8Array, Uint8Array, Uint8Array]; // batchRows
    const [weight0, weight1, weight2, weight3] = [weights[0]!, weights[1]!, weights[2]!, weights[3]!];
    for (let i = 0; i < sums.length; i++) {
      sums[i]! +=
        Math.imul(row0[i]!, weight0) +
        Math.imul(row1[i]!, weight1) +
        Math.imul(row2[i]!, weight2) +
        Math.imul(row3[i]!, weight3);
    }
  }

  finish(slot: number, line: Uint8ClampedArray): void {
    finishSums(this.#sums[slot]!, this.#longLine, this.#from, this.#count);
    resizeRow(this.#longLineBytes, this.#filter, line);
  }
}

/** The same by the routines, in linear memory. */
class RoutineColumnPass implements ColumnPass {
  readonly #arena: PixelArena;
  readonly #table: RowTable;
  /** Samples of a row that are needed: where they begin and end. */
  readonly #from: number;
  readonly #end: number;
  /** The same, rounded to what the routines take at once. */
  readonly #first: number;
  readonly #count: number;
  readonly #batch: number;
  readonly #sums: number;
  readonly #slotBytes: number;
  readonly #longLine: number;

  constructor(filter: ResampleFilter, left: number, right: number, slots: number, arena: PixelArena) {
    this.#arena = arena;
    this.#from = left * channels;
    this.#end = right * channels;
    this.#first = Math.floor(this.#from / routineStep) * routineStep;
    this.#count = Math.ceil((this.#end - this.#first) / routineStep) * routineStep;
    this.#slotBytes = this.#count * Int32Array.BYTES_PER_ELEMENT;
    this.#table = new RowTable(filter, arena);
    this.#batch = arena.allocate(this.#count * batchRows);
    this.#longLine = arena.allocate(this.#first + this.#count);
    this.#sums = arena.allocate(this.#slotBytes * slots);
    new Int32Array(arena.bytes.buffer, this.#sums, this.#count * slots).fill(roundingBias);
  }

  put(position: number, rgb: Uint8Array): void {
    const at = this.#batch + position * this.#count + this.#from - this.#first;
    this.#arena.bytes.set(rgb.subarray(this.#from, this.#end), at);
  }

  addBatch(slot: number, weights: Int32Array): void {
    const [w0, w1, w2, w3] = [weights[0]!, weights[1]!, weights[2]!, weights[3]!];
    const sums = this.#sums + slot * this.#slotBytes;
    this.#arena.routines.add_weighted_rows(sums, this.#batch, this.#count, this.#count, w0, w1, w2, w3);
  }

  finish(slot: number, line: Uint8ClampedArray): void {
    const sums = this.#sums + slot * this.#slotBytes;
    this.#arena.routines.finish_sums(sums, this.#longLine + this.#first, this.#count);
    this.#table.resize(this.#longLine, line);
  }
}
