import type { BitReader } from './bit-reader.ts';
import { blockSize } from './frame.ts';
import { extend, type HuffmanTable, lookaheadBits } from './huffman.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** What a progressive scan says of itself, and how far its current end-of-band run reaches. */
export interface ProgressiveBand {
  readonly spectralStart: number;
  readonly spectralEnd: number;
  /** Bit position of this scan's contribution (Al). */
  readonly shift: number;
  /** Blocks still covered by the last end-of-band code. */
  endOfBandRun: number;
}

const lastCoefficient = blockSize - 1;
const lookaheadMask = (1 << lookaheadBits) - 1;

/**
 * First scan of AC coefficients. Coefficients lie in zigzag order, 64 a block, undequantized. If damaged data has a
 * coefficient behind the last, it is taken for the last, as in libjpeg.
 *
 * @param at index of the block's DC coefficient in `coefficients`.
 * @see ITU-T T.81 G.1.2.2; libjpeg jdphuff.c `decode_mcu_AC_first`
 */
export function decodeAcFirst(
  reader: BitReader,
  table: HuffmanTable,
  band: ProgressiveBand,
  coefficients: Int16Array,
  at: number,
): void {
  if (band.endOfBandRun > 0) {
    band.endOfBandRun--;
    return;
  }
  const { spectralEnd, shift } = band;
  const lookup = table.coefficients;
  let k = band.spectralStart;
  while (k <= spectralEnd) {
    if (reader.count < 16) reader.refill();
    const entry = lookup[(reader.bits >>> (reader.count - lookaheadBits)) & lookaheadMask]!;
    let value: number;
    if (entry !== 0) {
      reader.count -= entry & 255;
      k += (entry >> 8) & 15;
      value = entry >> 16;
    } else {
      const symbol = reader.readSymbol(table);
      const run = symbol >> 4;
      const size = symbol & 15;
      if (size === 0) {
        if (run < 15) {
          band.endOfBandRun = (1 << run) - 1 + (run > 0 ? reader.readBits(run) : 0);
          return;
        }
        k += 16;
        continue;
      }
      k += run;
      value = extend(reader.readBits(size), size);
    }
    if (k > spectralEnd) reader.onDamage();
    coefficients[at + Math.min(k, lastCoefficient)] = value << shift;
    k++;
  }
}

/**
 * Further scans of AC coefficients: one more bit for those that are not zero, and new ones of magnitude 1.
 *
 * @see ITU-T T.81 G.1.2.3; libjpeg jdphuff.c `decode_mcu_AC_refine`
 */
export function decodeAcRefinement(
  reader: BitReader,
  table: HuffmanTable,
  band: ProgressiveBand,
  coefficients: Int16Array,
  at: number,
): void {
  const { spectralEnd, shift } = band;
  const bit = 1 << shift;
  const end = at + spectralEnd;
  let position = at + band.spectralStart;
  if (band.endOfBandRun === 0) {
    for (; position <= end; position++) {
      const symbol = reader.readSymbol(table);
      let run = symbol >> 4;
      let value = 0;
      if ((symbol & 15) !== 0) {
        value = reader.readBits(1) !== 0 ? bit : -bit;
      } else if (run < 15) {
        band.endOfBandRun = (1 << run) + (run > 0 ? reader.readBits(run) : 0);
        break;
      }
      // Skips `run` coefficients that are still zero, and refines the others on the way.
      for (; position <= end; position++) {
        if (coefficients[position] !== 0) refine(reader, coefficients, position, bit);
        else if (run-- === 0) break;
      }
      if (value !== 0) {
        if (position > end) reader.onDamage();
        coefficients[Math.min(position, at + lastCoefficient)] = value;
      }
    }
  }
  if (band.endOfBandRun > 0) {
    for (; position <= end; position++) {
      if (coefficients[position] !== 0) refine(reader, coefficients, position, bit);
    }
    band.endOfBandRun--;
  }
}

/**
 * Makes zero the coefficients that a refinement has just created, so that it can decode the block again. These have
 * only this scan's bit. Corrections need no undoing, because a bit that is set is not set again.
 */
export function undoNewCoefficients(band: ProgressiveBand, coefficients: Int16Array, at: number): void {
  for (let k = band.spectralStart; k <= band.spectralEnd; k++) {
    if (Math.abs(coefficients[at + k]!) === 1 << band.shift) coefficients[at + k] = 0;
  }
}

/** Reads one correction bit. If the coefficient already has the bit, it does not change, as in libjpeg. */
function refine(reader: BitReader, coefficients: Int16Array, position: number, bit: number): void {
  if (reader.readBits(1) === 0) return;
  const value = coefficients[position]!;
  if ((value & bit) === 0) coefficients[position] = value > 0 ? value + bit : value - bit;
}

/**
 * Gathers one block for the inverse DCT: dequantizes it and undoes the zigzag order.
 *
 * @returns the zigzag index of the last coefficient that is not zero, 0 if only DC is left.
 */
export function dequantizeBlock(
  coefficients: Int16Array,
  at: number,
  quantization: Int32Array,
  zigzag: Uint8Array,
  block: Int16Array,
): number {
  let last = 0;
  block[0] = Math.imul(coefficients[at]!, quantization[0]!);
  for (let k = 1; k < blockSize; k++) {
    const coefficient = coefficients[at + k]!;
    if (coefficient !== 0) {
      block[zigzag[k]!] = Math.imul(coefficient, quantization[k]!);
      last = k;
    }
  }
  return last;
}
