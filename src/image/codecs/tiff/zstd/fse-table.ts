import { malformed } from '../../../image-error.ts';
import { type BackwardBits, ForwardBits } from './bits.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** A decoding table of finite state entropy: by state, the symbol and how the next state is found. */
export interface FseTable {
  readonly accuracyLog: number;
  readonly symbols: Uint8Array;
  readonly bits: Uint8Array;
  readonly baselines: Uint16Array;
}

/** @returns the first state. */
export function initialState({ accuracyLog }: FseTable, bits: BackwardBits): number {
  return bits.read(accuracyLog);
}

export function nextState(table: FseTable, state: number, bits: BackwardBits): number {
  return table.baselines[state]! + bits.read(table.bits[state]!);
}

/** A table that always says the same, without a bit. */
export function constantTable(symbol: number): FseTable {
  return {
    accuracyLog: 0,
    symbols: Uint8Array.of(symbol),
    bits: Uint8Array.of(0),
    baselines: Uint16Array.of(0),
  };
}

/**
 * Reads the description of a table.
 *
 * @returns the table, and the bytes that the description takes.
 * @throws {CodedError} `image_malformed`.
 * @see RFC 8878 section 4.1.1 (FSE table description)
 */
export function readFseTable(
  bytes: Uint8Array,
  maxAccuracyLog: number,
  maxSymbol: number,
): { readonly table: FseTable; readonly byteCount: number } {
  const bits = new ForwardBits(bytes);
  const accuracyLog = bits.read(4) + 5;
  if (accuracyLog > maxAccuracyLog) throw malformed('tiff', 'a Zstandard table is too large');
  const probabilities: number[] = [];
  let threshold = 1 << accuracyLog;
  let remaining = threshold + 1;
  let width = accuracyLog + 1;
  while (remaining > 1 && probabilities.length <= maxSymbol) {
    const spare = 2 * threshold - 1 - remaining;
    let value = bits.peek(width);
    if ((value & (threshold - 1)) < spare) {
      value &= threshold - 1;
      bits.position += width - 1;
    } else {
      if (value >= threshold) value -= spare;
      bits.position += width;
    }
    const probability = value - 1;
    probabilities.push(probability);
    remaining -= Math.abs(probability);
    if (probability === 0) skipZeros(bits, probabilities, maxSymbol);
    while (remaining < threshold) {
      width--;
      threshold >>= 1;
    }
  }
  const byteCount = Math.ceil(bits.position / 8);
  if (remaining !== 1 || probabilities.length > maxSymbol + 1 || byteCount > bytes.length) {
    throw malformed('tiff', 'a Zstandard table is wrong');
  }
  return { table: buildFseTable(probabilities, accuracyLog), byteCount };
}

/** How many symbols more are never met: by threes, and the rest. */
function skipZeros(bits: ForwardBits, probabilities: number[], maxSymbol: number): void {
  for (;;) {
    const count = bits.read(2);
    for (let i = 0; i < count; i++) probabilities.push(0);
    if (count < 3 || probabilities.length > maxSymbol) return;
  }
}

/**
 * @param probabilities of the symbols, together 2^accuracyLog; -1 is less than 1.
 * @see RFC 8878 section 4.1.1 (from normalized distribution to decoding tables)
 */
export function buildFseTable(probabilities: readonly number[], accuracyLog: number): FseTable {
  const size = 1 << accuracyLog;
  const symbols = new Uint8Array(size);
  const next = new Uint16Array(probabilities.length);
  let high = size - 1;
  for (const [symbol, probability] of probabilities.entries()) {
    if (probability === -1) symbols[high--] = symbol;
    next[symbol] = Math.abs(probability);
  }
  const step = (size >> 1) + (size >> 3) + 3;
  let position = 0;
  for (const [symbol, probability] of probabilities.entries()) {
    for (let i = 0; i < probability; i++) {
      symbols[position] = symbol;
      do position = (position + step) & (size - 1);
      while (position > high);
    }
  }
  const bits = new Uint8Array(size);
  const baselines = new Uint16Array(size);
  for (let state = 0; state < size; state++) {
    const count = next[symbols[state]!]!++;
    bits[state] = accuracyLog - (31 - Math.clz32(count));
    baselines[state] = (count << bits[state]!) - size;
  }
  return { accuracyLog, symbols, bits, baselines };
}
