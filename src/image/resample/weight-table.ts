import type { ResampleFilter } from './filter.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** A weight w is (w >> lowBits) * 2^lowBits + (w & lowMask): both parts fit the 16-bit dot product. */
export const lowBits = 11;
const lowMask = (1 << lowBits) - 1;
const groupPixels = 4;
const groupBytes = 16;
const headBytes = 8;
const bytesPerPixel = 3;

/** A group of `resize_planes`: eight weights' upper parts, then their lower parts. */
const planarPixels = 8;
const planarBytes = 32;
/** Aligned to 16 bytes; the second half of it is not used. */
const planarHeadBytes = 16;

/** The routine takes the first without asking. */
const planarGroups = (taps: number) => Math.max(1, Math.ceil(taps / planarPixels));

/** Bytes that `writePlanarWeights` writes. */
export function planarWeightsBytes({ count, length }: ResampleFilter): number {
  let groups = 0;
  for (let i = 0; i < count; i++) groups += planarGroups(length[i]!);
  return count * planarHeadBytes + groups * planarBytes;
}

/**
 * A filter as `resize_planes` reads it, for each output: where its pixels begin and its groups of eight, less one, as
 * i32; then for each group the upper parts of eight weights and the lower parts, as i16.
 *
 * @param words zeros, of `planarWeightsBytes`.
 */
export function writePlanarWeights(filter: ResampleFilter, words: Int16Array): void {
  const { count, start, length, offset, weights } = filter;
  const numbers = new Int32Array(words.buffer, words.byteOffset, words.length / 2);
  let to = 0;
  for (let i = 0; i < count; i++) {
    const taps = length[i]!;
    const first = offset[i]!;
    const groups = planarGroups(taps);
    numbers[to >> 1] = start[i]!;
    numbers[(to >> 1) + 1] = groups - 1;
    to += planarHeadBytes / 2;
    for (let tap = 0; tap < taps; tap++) {
      const inGroup = to + (tap >> 3) * (planarBytes / 2) + (tap & 7);
      const weight = weights[first + tap]!;
      words[inGroup] = weight >> lowBits;
      words[inGroup + planarPixels] = weight & lowMask;
    }
    to += (groups * planarBytes) / 2;
  }
}

/** Bytes that `writeWeightTable` writes. */
export function weightTableBytes({ count, length }: ResampleFilter): number {
  let groups = 0;
  for (let i = 0; i < count; i++) groups += Math.ceil(length[i]! / groupPixels);
  return count * headBytes + groups * groupBytes;
}

/**
 * A filter as `resize_row` reads it, for each output: where its pixels begin, in bytes, and its groups of four
 * pixels as i32; then for each group the upper parts of four weights and the lower parts, as i16.
 */
export function writeWeightTable(filter: ResampleFilter, view: DataView, at: number): void {
  const { count, start, length, offset, weights } = filter;
  let to = at;
  for (let i = 0; i < count; i++) {
    const groups = Math.ceil(length[i]! / groupPixels);
    view.setInt32(to, start[i]! * bytesPerPixel, true);
    view.setInt32(to + 4, groups, true);
    to += headBytes;
    for (let tap = 0; tap < groups * groupPixels; tap++) {
      const weight = tap < length[i]! ? weights[offset[i]! + tap]! : 0;
      const inGroup = to + (tap % groupPixels) * 2;
      view.setInt16(inGroup, weight >> lowBits, true);
      view.setInt16(inGroup + 8, weight & lowMask, true);
      if (tap % groupPixels === groupPixels - 1) to += groupBytes;
    }
  }
}
