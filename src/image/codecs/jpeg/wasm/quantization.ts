import type { PixelArena } from '../../../pixel-arena.ts';
import { blockSize } from '../frame.ts';
import { zigzag } from '../segments.ts';
import { unreadOffset } from './layout.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** What `placeSteps` allocates: for an index of at most 63, a run of at most 15, and one more of each. */
export const stepsBytes = (blockSize + 2 * 16) * Int32Array.BYTES_PER_ELEMENT;
/** Below a step's divisor is a byte offset of at most `unreadOffset`. */
export const divisorShift = 8;

/**
 * For each zigzag index, and for what runs may reach behind the last: the divisor, of 16 bits, above `divisorShift`, and
 * the coefficient's byte offset in a block below. What is not kept goes behind the block, as 0.
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

/** What `placeDivisors` allocates. */
export const divisorBytes = blockSize * Uint16Array.BYTES_PER_ELEMENT;

/** @returns the address of the divisors, row-major, for the routine `reconstruct_row`. */
export function placeDivisors(arena: PixelArena, quantization: Int32Array): number {
  const address = arena.allocate(divisorBytes);
  const divisors = new Uint16Array(arena.bytes.buffer, address, blockSize);
  for (let k = 0; k < blockSize; k++) divisors[zigzag[k]!] = quantization[k]!;
  return address;
}
