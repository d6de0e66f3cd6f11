import type { BitReader } from './bit-reader.ts';
import { blockSize } from './frame.ts';
import { extend, type HuffmanTable, lookaheadBits, skipEnd, zeroRunOf16 } from './huffman.ts';
import { zigzag } from './segments.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

const lastCoefficient = blockSize - 1;
const lookaheadMask = (1 << lookaheadBits) - 1;
/** With fewer bits than this in the reader, a code of 16 bits might be incomplete. */
const enoughBits = 16;

/**
 * The difference of a block's DC coefficient to the one before.
 *
 * @see ITU-T T.81 F.2.2.1
 */
export function decodeDcDifference(reader: BitReader, table: HuffmanTable): number {
  const size = reader.readSymbol(table);
  return size === 0 ? 0 : extend(reader.readBits(size), size);
}

/**
 * Decodes the AC coefficients of one block of a sequential scan and dequantizes them.
 *
 * If damaged data has a coefficient behind the last, it is taken for the last, as in libjpeg.
 *
 * @param quantization divisors in zigzag order.
 * @param block receives the coefficients, row-major; those not coded are left as they are (zero).
 * @param lastKept zigzag index behind which coefficients are parsed and dropped.
 * @returns the zigzag index of the last coefficient that is not zero, 0 if there is none.
 * @see ITU-T T.81 F.2.2.2, figure F.13; libjpeg jutils.c, `jpeg_natural_order`
 */
export function decodeAcCoefficients(
  reader: BitReader,
  table: HuffmanTable,
  quantization: Int32Array,
  block: Int16Array,
  lastKept: number,
): number {
  const { bytes } = reader;
  const lastPair = bytes.length - 1;
  const { coefficients, symbols } = table;
  let { bits, count, position } = reader;
  let last = 0;
  let outside = 0;
  let k = 1;
  while (k <= lastKept) {
    if (count < enoughBits) {
      // Two bytes at once, unless one may be stuffed or begin a marker.
      if (position < lastPair && bytes[position] !== 0xff && bytes[position + 1] !== 0xff) {
        bits = (bits << 16) | (bytes[position]! << 8) | bytes[position + 1]!;
        count += 16;
        position += 2;
      } else {
        reader.bits = bits;
        reader.count = count;
        reader.position = position;
        reader.refill();
        bits = reader.bits;
        count = reader.count;
        position = reader.position;
      }
    }
    const prefix = (bits >>> (count - lookaheadBits)) & lookaheadMask;
    const coefficient = coefficients[prefix]!;
    if (coefficient !== 0) {
      count -= coefficient & 255;
      k += (coefficient >> 8) & 15;
      if (k > lastKept) {
        if (k >= blockSize) outside = coefficient >> 16;
        k++;
        break;
      }
      const product = Math.imul(coefficient >> 16, quantization[k]!);
      block[zigzag[k]!] = product;
      if (product !== 0) last = k;
      k++;
      continue;
    }
    // Rare: end of block, a run of 16 zeros, or a code and value longer than the look-ahead.
    let symbol = symbols[prefix]!;
    if (symbol !== 0) {
      count -= symbol >> 8;
      symbol &= 255;
    } else {
      reader.bits = bits;
      reader.count = count;
      reader.position = position;
      symbol = reader.readLongSymbol(table);
      bits = reader.bits;
      count = reader.count;
      position = reader.position;
    }
    const size = symbol & 15;
    if (size === 0) {
      if (symbol !== zeroRunOf16) {
        k = blockSize;
        break;
      }
      k += 16;
      continue;
    }
    k += symbol >> 4;
    if (count < size) {
      reader.bits = bits;
      reader.count = count;
      reader.position = position;
      reader.refill();
      bits = reader.bits;
      count = reader.count;
      position = reader.position;
    }
    count -= size;
    const magnitude = (bits >>> count) & ((1 << size) - 1);
    const value = magnitude < 1 << (size - 1) ? magnitude - (1 << size) + 1 : magnitude;
    if (k >= blockSize) {
      outside = value;
    } else if (k <= lastKept) {
      const product = Math.imul(value, quantization[k]!);
      block[zigzag[k]!] = product;
      if (product !== 0) last = k;
    }
    k++;
  }
  reader.bits = bits;
  reader.count = count;
  reader.position = position;
  if (k < blockSize) skipAcCoefficients(reader, table, k);
  if (outside === 0) return last;
  reader.onDamage();
  if (lastKept < lastCoefficient) return last;
  block[lastCoefficient] = Math.imul(outside, quantization[lastCoefficient]!);
  return lastCoefficient;
}

/**
 * Skips the AC coefficients from zigzag index `from` on.
 *
 * @see ITU-T T.81 F.2.2.2
 */
export function skipAcCoefficients(reader: BitReader, table: HuffmanTable, from: number): void {
  const { bytes } = reader;
  const lastPair = bytes.length - 1;
  const { skips } = table;
  let { bits, count, position } = reader;
  let k = from;
  while (k < blockSize) {
    if (count < enoughBits) {
      if (position < lastPair && bytes[position] !== 0xff && bytes[position + 1] !== 0xff) {
        bits = (bits << 16) | (bytes[position]! << 8) | bytes[position + 1]!;
        count += 16;
        position += 2;
      } else {
        reader.bits = bits;
        reader.count = count;
        reader.position = position;
        reader.refill();
        bits = reader.bits;
        count = reader.count;
        position = reader.position;
      }
    }
    const skip = skips[(bits >>> (count - lookaheadBits)) & lookaheadMask]!;
    const next = k + ((skip >> 8) & 255);
    // Otherwise the last of these symbols may belong to the next block already.
    if (skip !== 0 && next < blockSize && (skip & 255) <= count) {
      count -= skip & 255;
      k = skip >= skipEnd ? blockSize : next;
      continue;
    }
    reader.bits = bits;
    reader.count = count;
    reader.position = position;
    const symbol = reader.readSymbol(table);
    const size = symbol & 15;
    if (size !== 0) {
      k += (symbol >> 4) + 1;
      reader.readBits(size);
    } else if (symbol === zeroRunOf16) {
      k += 16;
    } else {
      k = blockSize;
    }
    bits = reader.bits;
    count = reader.count;
    position = reader.position;
  }
  reader.bits = bits;
  reader.count = count;
  reader.position = position;
}
