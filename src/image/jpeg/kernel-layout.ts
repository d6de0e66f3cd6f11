import { blockSize } from './frame.ts';
import { lookaheadSize, maxCodeLength, maxSymbols } from './huffman.ts';

/**
 * Where things stand in linear memory for the kernel `decode_sequential` (src/pixel-kernels/wat/sequential-scan.ts).
 * Offsets are bytes; everything is an i32 unless it says otherwise.
 */

/** One scan, while it is decoded. */
export const scanLayout = {
  /** As in `BitReader`: the low `count` of `bits` are the next ones, `supplied` of them are not in the file. */
  bits: 0,
  count: 4,
  supplied: 8,
  /** Address of the next byte. */
  position: 12,
  /** No MCU is begun at this address or behind it: its data might not be there. */
  stop: 16,
  mcu: 20,
  mcuEnd: 24,
  componentCount: 28,
  /** Address of 64 zeros, and of 256 bytes more. */
  block: 32,
  /** What the kernel keeps here while it looks at single bytes: the left-aligned bits (i64) and their number. */
  wideBits: 40,
  wideCount: 48,
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
  /** Address of 64 numbers in zigzag order: the divisor in bits 8 to 23, the byte offset in a block in 0 to 7. */
  steps: 16,
  /** Blocks in an MCU. */
  horizontal: 20,
  vertical: 24,
  /** Half-open range of the blocks of a line that are needed. */
  blockLeft: 28,
  blockRight: 32,
  side: 36,
  lastKept: 40,
  stride: 44,
  /** Addresses of the samples of each row of blocks in the MCU row, 0 where it is not needed. */
  rows: 48,
} as const;

/** A `HuffmanTable` (huffman.ts): its arrays one after the other. */
export const tableLayout = placeTable();

function placeTable() {
  const symbols = 0;
  const coefficients = symbols + lookaheadSize * Uint16Array.BYTES_PER_ELEMENT;
  const skips = coefficients + lookaheadSize * Int32Array.BYTES_PER_ELEMENT;
  const maxCode = skips + lookaheadSize * Int32Array.BYTES_PER_ELEMENT;
  const valueOffset = maxCode + (maxCodeLength + 2) * Int32Array.BYTES_PER_ELEMENT;
  const values = valueOffset + (maxCodeLength + 1) * Int32Array.BYTES_PER_ELEMENT;
  return { symbols, coefficients, skips, maxCode, valueOffset, values, bytes: values + maxSymbols };
}

export const scanBytes = scanLayout.components + scanLayout.maxComponents * scanLayout.componentBytes;
export const stepsBytes = blockSize * Int32Array.BYTES_PER_ELEMENT;
