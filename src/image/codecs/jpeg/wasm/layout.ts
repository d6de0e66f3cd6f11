import { allocatedBytes } from '../../../pixel-arena.ts';
import { blockSize } from '../frame.ts';
import { lookaheadSize, maxCodeLength, maxSymbols } from '../huffman.ts';

/**
 * Where things stand in linear memory for the routines of entropy-coded data (src/image/codecs/jpeg/wat). Offsets are
 * bytes; everything is an i32 unless it says otherwise.
 */

/** One scan, while it is decoded. */
export const scanLayout = {
  /** i64: the high `count` of them are the next ones. */
  bits: 0,
  count: 8,
  /** Address of the next byte; the one behind it is below it. */
  position: 12,
  /** Address of the last byte. */
  end: 16,
  /** No MCU is begun below this address: its data might not be there. */
  stop: 20,
  /** What `unstuff` wrote. */
  written: 24,
  mcu: 28,
  mcuEnd: 32,
  componentCount: 36,
  /** Sequential: address of what `createBlock` makes. Progressive: of `sparedBytes`. */
  block: 40,
  /** Progressive: what `ProgressiveBand` says. */
  spectralStart: 44,
  spectralEnd: 48,
  shift: 52,
  endOfBandRun: 56,
  /** Refinements of AC: address of `zeroListBytes`. */
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
  /** Addresses of each row of blocks in the MCU row: of samples, 0 where it is not needed, or of coefficients. */
  rows: 24,
  /** Sequential: address of what `placeSteps` places. */
  steps: 40,
  /** Half-open range of the blocks of a line that are needed; of a scan of DC it is not asked. */
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
/** Behind the 64 coefficients, i16 each, of a block that is worked in (`createBlock`): where those go that nobody reads. */
export const unreadOffset = blockSize * Int16Array.BYTES_PER_ELEMENT;
/** A block's coefficients in the MCU row of a progressive image: i16, in zigzag order. */
export const coefficientsBytes = blockSize * Int16Array.BYTES_PER_ELEMENT;

/**
 * For a progressive scan to work in. First scans write there what no coefficient is, as if it were a block; refinements
 * list the positions of zeros, of which eight are written at once and one stands for the end.
 */
export const sparedBytes = coefficientsBytes;
/** For each byte, the positions of the bits that are set, lowest first: eight bytes, the rest of them 0. */
export const zeroListBytes = 256 * 8;

export function componentAt(index: number): number {
  return scanLayout.components + index * scanLayout.componentBytes;
}
