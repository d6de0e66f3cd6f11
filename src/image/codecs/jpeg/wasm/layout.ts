import { allocatedBytes } from '../../../pixel-arena.ts';
import { blockSize } from '../frame.ts';
import { lookaheadSize, maxCodeLength, maxSymbols } from '../huffman.ts';

/**
 * Where things stand in linear memory for the routines of entropy-coded data (src/image/codecs/jpeg/wat). Offsets are
 * bytes; everything is an i32 unless it says otherwise.
 */

/** One scan, while it is decoded. */
export const scanLayout = {
  /** i64: its highest `count` bits are the next ones of the stream. */
  bits: 0,
  count: 8,
  /** Address of the next byte. Bytes stand in reverse order: the following one is at the address below. */
  position: 12,
  /** Address of the last byte. */
  end: 16,
  /** No MCU begins below this address, because its data might be incomplete. */
  stop: 20,
  /** How many bytes `unstuff` wrote. */
  written: 24,
  mcu: 28,
  mcuEnd: 32,
  componentCount: 36,
  /** Address of the block of `createBlock` (sequential), or of `sparedBytes` (progressive). */
  block: 40,
  /** Progressive: the fields of `ProgressiveBand`. */
  spectralStart: 44,
  spectralEnd: 48,
  shift: 52,
  endOfBandRun: 56,
  /** Refinements of AC: address of the lists of zeros (`zeroListBytes`). */
  zeroLists: 60,
  components: 64,
  /** Of each component. */
  componentBytes: 64,
  maxComponents: 4,
} as const;

/** One component of a scan, from `scanLayout.components` on. */
export const componentLayout = {
  prediction: 0,
  savedPrediction: 4,
  /** Addresses of Huffman tables: `tableLayout`. */
  dc: 8,
  ac: 12,
  /** Blocks in an MCU. */
  horizontal: 16,
  vertical: 20,
  /** For each row of blocks in the MCU row: address of its samples (0 if they are not needed), or of its coefficients. */
  rows: 24,
  /** Sequential: address of the steps (`placeSteps`). */
  steps: 40,
  /** Half-open range of the blocks of a line that are needed. A scan of DC does not read it. */
  blockLeft: 44,
  blockRight: 48,
  side: 52,
  lastKept: 56,
  stride: 60,
} as const;

/** What a table decodes; `build_scan_table` takes the number. */
export const tableKinds = { dc: 0, ac: 1, acFirst: 2, acRefinement: 3 } as const;

/** A `HuffmanTable` (../huffman.ts) and the look-ups of tables.ts: arrays one after the other. */
export const tableLayout = layOutTable();

function layOutTable() {
  const pairs = 0;
  const direct = pairs + lookaheadSize * BigInt64Array.BYTES_PER_ELEMENT;
  const symbols = direct + lookaheadSize * Int32Array.BYTES_PER_ELEMENT;
  const maxCode = symbols + lookaheadSize * Uint16Array.BYTES_PER_ELEMENT;
  const valueOffset = maxCode + (maxCodeLength + 2) * Int32Array.BYTES_PER_ELEMENT;
  const values = valueOffset + (maxCodeLength + 1) * Int32Array.BYTES_PER_ELEMENT;
  const bytes = allocatedBytes(values + maxSymbols);
  return { pairs, direct, symbols, maxCode, valueOffset, values, bytes };
}

export const scanBytes = scanLayout.components + scanLayout.maxComponents * scanLayout.componentBytes;
/** Offset of a place behind the block's 64 i16 coefficients (`createBlock`). Values that nobody reads are written there. */
export const unreadOffset = blockSize * Int16Array.BYTES_PER_ELEMENT;
/** A block's coefficients in the MCU row of a progressive image: i16, in zigzag order. */
export const coefficientsBytes = blockSize * Int16Array.BYTES_PER_ELEMENT;

/**
 * Bytes for a progressive scan to work in. First scans write there, as into a block, values that are no coefficients.
 * Refinements list there the positions of zeros, eight at a time, and one more position for the end.
 */
export const sparedBytes = coefficientsBytes;
/** For each value of a byte, eight bytes: the positions of its set bits, lowest first, then zeros. */
export const zeroListBytes = 256 * 8;

export function componentAt(index: number): number {
  return scanLayout.components + index * scanLayout.componentBytes;
}
