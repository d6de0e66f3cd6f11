import type { PixelArena } from '../../../pixel-arena.ts';
import { blockSize } from '../frame.ts';
import { zigzag } from '../segments.ts';
import { unreadOffset } from './layout.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** Bytes that `placeSteps` allocates. It covers an index of at most 63 and a run of at most 15, and one more of each. */
export const stepsBytes = (blockSize + 2 * 16) * Int32Array.BYTES_PER_ELEMENT;
/** A step holds the divisor above these bits, and a byte offset of at most `unreadOffset` in them. */
export const divisorShift = 8;

/**
 * Places a step for each zigzag index, and for the indices behind the last that a run may reach. A step has the 16-bit
 * divisor above `divisorShift`, and the coefficient's byte offset in a block below it. Coefficients that are not kept
 * have divisor 0, and their offset is behind the block.
 *
 * @param quantization divisors in zigzag order.
 * @param lastKept index behind which coefficients are dropped.
 * @returns the address of the steps, for the routine `decode_sequential`.
 */
export function placeSteps(arena: PixelArena, quantization: Int32Array, lastKept: number): number {
  const address = arena.allocate(stepsBytes);
  const steps = new Int32Array(arena.bytes.buffer, address, stepsBytes / Int32Array.BYTES_PER_ELEMENT);
  steps.fill(unreadOffset);
  for (let k = 0; k <= lastKept; k++) {
    steps[k] = (quantization[k]! << divisorShift) | (zigzag[k]! * Int16Array.BYTES_PER_ELEMENT);
  }
  return address;
}

/** Bytes that `placeDivisors` allocates. */
export const divisorBytes = blockSize * Uint16Array.BYTES_PER_ELEMENT;

/** @returns the address of the divisors, row-major, for the routine `reconstruct_row`. */
export function placeDivisors(arena: PixelArena, quantization: Int32Array): number {
  const address = arena.allocate(divisorBytes);
  const divisors = new Uint16Array(arena.bytes.buffer, address, blockSize);
  for (let k = 0; k < blockSize; k++) divisors[zigzag[k]!] = quantization[k]!;
  return address;
}
