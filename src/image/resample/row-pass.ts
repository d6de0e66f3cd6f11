import type { ColourRows } from '../image.ts';
import type { PixelArena } from '../pixel-arena.ts';
import { filterEnd, filterStart, type ResampleFilter, roundingBias, toPairedWeights } from './filter.ts';
import { channels, finishSums, mirrorRow, resizeRow, resizeRowPaired } from './resize-row.ts';
import { RowTable } from './row-table.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/**
 * Resizes rows and sums them up, weighted, in slots: one for each line of the crop that is in progress.
 *
 * @see Pillow src/libImaging/Resample.c, `ImagingResampleHorizontal_8bpc`, then `ImagingResampleVertical_8bpc`
 */
export interface RowPass {
  /** Makes `rgb` the row that `addTo` adds. */
  resize(rgb: Uint8Array): void;
  /** Likewise colours apart, in the arena that the pass was made with. */
  resizePlanes?(rows: ColourRows): void;
  addTo(slot: number, weight: number): void;
  /** Rounds a slot's sums to 8 bits and empties it. */
  finish(slot: number, line: Uint8ClampedArray): void;
}

/**
 * @param mirrors whether the outputs of `alongRow` are in reverse order.
 * @param slots how many lines are in progress at once.
 */
export function createRowPass(
  alongRow: ResampleFilter,
  mirrors: boolean,
  slots: number,
  arena: PixelArena | undefined,
): RowPass {
  return arena
    ? new RoutineRowPass(alongRow, mirrors, slots, arena)
    : new PlainRowPass(alongRow, mirrors, slots);
}

class PlainRowPass implements RowPass {
  readonly #filter: ResampleFilter;
  readonly #mirrors: boolean;
  readonly #pairedWeights: Int32Array | undefined;
  readonly #resized: Uint8ClampedArray;
  readonly #sums: Int32Array[];

  constructor(filter: ResampleFilter, mirrors: boolean, slots: number) {
    this.#filter = filter;
    this.#mirrors = mirrors;
    this.#pairedWeights = toPairedWeights(filter);
    this.#resized = new Uint8ClampedArray(filter.count * channels);
    this.#sums = Array.from({ length: slots }, () =>
      new Int32Array(filter.count * channels).fill(roundingBias),
    );
  }

  resize(rgb: Uint8Array): void {
    if (this.#pairedWeights === undefined) resizeRow(rgb, this.#filter, this.#resized);
    else resizeRowPaired(rgb, this.#filter, this.#pairedWeights, this.#resized);
    if (this.#mirrors) mirrorRow(this.#resized, this.#filter.count);
  }

  addTo(slot: number, weight: number): void {
    const sums = this.#sums[slot]!;
    const resized = this.#resized;
    for (let i = 0; i < sums.length; i++) sums[i]! += Math.imul(resized[i]!, weight);
  }

  finish(slot: number, line: Uint8ClampedArray): void {
    const sums = this.#sums[slot]!;
    finishSums(sums, line, 0, sums.length);
  }
}

/** The same by the routines, on rows in linear memory; a row from elsewhere is copied there first. */
class RoutineRowPass implements RowPass {
  readonly #filter: ResampleFilter;
  readonly #mirrors: boolean;
  readonly #arena: PixelArena;
  readonly #table: RowTable;
  /** Bytes of a row that are needed: where they begin and end. */
  readonly #from: number;
  readonly #end: number;
  readonly #row: number;
  readonly #sums: number;
  readonly #slotBytes: number;
  /** Address of a line that is finished. */
  readonly #finished: number;

  constructor(filter: ResampleFilter, mirrors: boolean, slots: number, arena: PixelArena) {
    this.#filter = filter;
    this.#mirrors = mirrors;
    this.#arena = arena;
    this.#from = filterStart(filter) * channels;
    this.#end = filterEnd(filter) * channels;
    this.#table = new RowTable(filter, arena);
    this.#row = arena.allocate(this.#end);
    this.#slotBytes = this.#table.paddedSamples * Int32Array.BYTES_PER_ELEMENT;
    this.#sums = arena.allocate(this.#slotBytes * slots);
    this.#finished = arena.allocate(this.#table.paddedSamples);
    new Int32Array(arena.bytes.buffer, this.#sums, this.#table.paddedSamples * slots).fill(roundingBias);
  }

  resize(rgb: Uint8Array): void {
    const { bytes } = this.#arena;
    const { resized, samples } = this.#table;
    let row = this.#row;
    if (rgb.buffer === bytes.buffer) row = rgb.byteOffset;
    else bytes.set(rgb.subarray(this.#from, this.#end), row + this.#from);
    this.#table.resize(row);
    if (this.#mirrors) mirrorRow(bytes.subarray(resized, resized + samples), this.#filter.count);
  }

  resizePlanes(rows: ColourRows): void {
    const { resized, samples } = this.#table;
    this.#table.resizePlanes(rows);
    if (this.#mirrors) mirrorRow(this.#arena.bytes.subarray(resized, resized + samples), this.#filter.count);
  }

  addTo(slot: number, weight: number): void {
    const { resized, paddedSamples } = this.#table;
    this.#arena.routines.add_weighted(this.#sums + slot * this.#slotBytes, resized, paddedSamples, weight);
  }

  finish(slot: number, line: Uint8ClampedArray): void {
    const { samples, paddedSamples } = this.#table;
    const { routines, bytes } = this.#arena;
    routines.finish_sums(this.#sums + slot * this.#slotBytes, this.#finished, paddedSamples);
    line.set(bytes.subarray(this.#finished, this.#finished + samples));
  }
}
