import type { BoolDecoder } from './bool-decoder.ts';
import {
  probabilitiesPerBand,
  probabilitiesPerContext,
  probabilitiesPerType,
} from './coefficient-probabilities.ts';

/** Where the coefficient that is read at each position stands in its block. @see RFC 6386 section 13 */
export const zigzag = Uint8Array.of(0, 1, 4, 8, 5, 2, 3, 6, 9, 12, 13, 10, 7, 11, 14, 15);

/** By position, and behind the last: where its band's probabilities begin. @see RFC 6386 section 13.3 */
export const bandOffsets = Uint16Array.of(0, 1, 2, 3, 6, 4, 5, 6, 6, 6, 6, 6, 6, 6, 6, 7, 0).map(
  (band) => band * probabilitiesPerBand,
);

/** Where the probabilities of each type of block begin. @see RFC 6386 section 13.3 */
export const blockType = {
  /** Luma whose DC stands in the block of second order. */
  lumaWithoutDc: 0,
  second: probabilitiesPerType,
  chroma: 2 * probabilitiesPerType,
  luma: 3 * probabilitiesPerType,
} as const;

/** Probabilities of the bits behind the categories 3 to 6 of values; 0 ends each. @see RFC 6386 section 13.2 */
export const categoryBits = [
  Uint8Array.of(173, 148, 140),
  Uint8Array.of(176, 155, 140, 135),
  Uint8Array.of(180, 157, 141, 134, 130),
  Uint8Array.of(254, 254, 243, 230, 196, 177, 153, 140, 133, 130, 129),
] as const;

/**
 * Reads the coefficients of a block of 4 x 4, multiplied by their steps, modulo 2^16 as libwebp stores them.
 *
 * Indexes are in range: `position` is at most 16, contexts at most 2, bits of a node 0 or 1.
 *
 * @param type one of `blockType`.
 * @param context how many of the blocks above and on the left have coefficients: 0 to 2.
 * @param first position of the first: 1 where the DC stands elsewhere.
 * @param out 16 zeros from `offset` on.
 * @returns the position behind the last that is not 0; `first` or less if there is none.
 * @see RFC 6386 section 13
 */
export function readBlock(
  bools: BoolDecoder,
  probabilities: Uint8Array,
  type: number,
  context: number,
  first: number,
  dcStep: number,
  acStep: number,
  out: Int16Array,
  offset: number,
): number {
  let position = first;
  let node = type + bandOffsets[position]! + context * probabilitiesPerContext;
  while (position < 16) {
    if (bools.readBit(probabilities[node]!) === 0) return position;
    while (bools.readBit(probabilities[node + 1]!) === 0) {
      position++;
      if (position === 16) return 16;
      node = type + bandOffsets[position]!;
    }
    const next = type + bandOffsets[position + 1]!;
    let value = 1;
    if (bools.readBit(probabilities[node + 2]!) === 0) {
      node = next + probabilitiesPerContext;
    } else {
      value = readLargeValue(bools, probabilities, node);
      node = next + 2 * probabilitiesPerContext;
    }
    const signed = bools.readBit(128) === 1 ? -value : value;
    out[offset + zigzag[position]!] = signed * (position > 0 ? acStep : dcStep);
    position++;
  }
  return 16;
}

/** 2 and more. @see RFC 6386 section 13.2 */
function readLargeValue(bools: BoolDecoder, probabilities: Uint8Array, node: number): number {
  const read = (index: number) => bools.readBit(probabilities[node + index]!);
  if (read(3) === 0) {
    if (read(4) === 0) return 2;
    return 3 + read(5);
  }
  if (read(6) === 0) {
    if (read(7) === 0) return 5 + bools.readBit(159);
    const high = bools.readBit(165);
    return 7 + 2 * high + bools.readBit(145);
  }
  const high = read(8);
  const category = 2 * high + read(9 + high);
  let extra = 0;
  for (const probability of categoryBits[category]!) extra = 2 * extra + bools.readBit(probability);
  return extra + 3 + (8 << category);
}
