import {
  distanceSymbols,
  distanceTableEntries,
  historyBytes,
  lengthCodeSymbols,
  literalSymbols,
  literalTableBits,
  literalTableEntries,
  maxCodeLength,
  maxMatchLength,
} from './symbols.ts';

/**
 * Where an inflater keeps what it works with, in linear memory or in an array of its own. Offsets are bytes from its
 * start; everything is an i32 unless it says otherwise.
 */
export const stateLayout = {
  /** i64: the lowest `count` of them are the next ones. */
  bits: 0,
  count: 8,
  /** Address of the next byte of input that is not in `bits`, and of the end of the input at hand. */
  position: 12,
  inputEnd: 16,
  /** Address of the next byte of output; decoding stops where it reaches `outputEnd`, at most `overshootBytes` later. */
  output: 20,
  outputEnd: 24,
  /** 1 if no input follows what is at hand. Before, no step is begun that might need more. */
  isFinal: 28,
  /** Of a stored block. */
  storedLeft: 32,
  isLastBlock: 36,
  /** Bits of the tables of this block. */
  literalBits: 40,
  distanceBits: 44,
  /** 1 if the tables are those of the fixed codes. */
  hasFixedTables: 48,
  /** Address of the oldest byte of output that is still there. */
  historyStart: 52,
} as const;

const stateBytes = 64;
const uint32 = Uint32Array.BYTES_PER_ELEMENT;

/** Arrays behind the state, one after the other. */
export const regions = layOut({
  literalTable: literalTableEntries * uint32,
  distanceTable: distanceTableEntries * uint32,
  /** A copy of the first table of literals, without pairs. */
  singles: (1 << literalTableBits) * uint32,
  literalMeanings: literalSymbols * uint32,
  distanceMeanings: distanceSymbols * uint32,
  lengthCodeMeanings: lengthCodeSymbols * uint32,
  /** u8: lengths of the codes of a block, those of the fixed codes, those of the codes for lengths. */
  lengths: literalSymbols + distanceSymbols,
  fixedLengths: literalSymbols + distanceSymbols,
  lengthCodeLengths: lengthCodeSymbols,
  /** How many codes have each length; where these begin in `sorted`: symbols by length, u16. */
  lengthCounts: (maxCodeLength + 1) * uint32,
  sortedStarts: (maxCodeLength + 1) * uint32,
  sorted: literalSymbols * Uint16Array.BYTES_PER_ELEMENT,
  /** For distances of 1 to 15, a vector each: which byte of the pattern comes. Before them how far whole ones reach. */
  patterns: 16 * 16,
});

/** Compressed bytes that are at hand at once; zeros stand behind the last. */
export const inputBytes = 32 * 1024;
export const inputPadBytes = 32;
/** What a header takes at most: 17 bits, 19 x 3, 320 codes of 7 bits and 7 more. */
export const maxHeaderBytes = 576;
/** What a symbol takes at most, 48 bits, and what is read at once. */
export const maxSymbolBytes = 16;
/** Output that may be written behind `outputEnd`: what one step decodes, and vectors that reach over the end. */
export const overshootBytes = 2 * maxMatchLength;
/** Output that is decoded at a time. */
export const stepBytes = 64 * 1024;

/** What a routine stopped at. */
export const inflateStatus = {
  /** A block has ended, or all of a stored one is there. */
  blockEnd: 0,
  /** The header of a block was read: its codes, or stored bytes, follow. */
  coded: 1,
  stored: 2,
  needsInput: 3,
  isFull: 4,
  invalid: 5,
} as const;
export type InflateStatus = (typeof inflateStatus)[keyof typeof inflateStatus];

export const fixedBytes = regions.end;
export const outputBytes = (longestRun: number) =>
  historyBytes + Math.max(stepBytes, longestRun) + overshootBytes;

function layOut<const T extends Readonly<Record<string, number>>>(
  sizes: T,
): { [K in keyof T | 'end']: number } {
  let next: number = stateBytes;
  const starts: Record<string, number> = {};
  for (const [name, bytes] of Object.entries(sizes)) {
    starts[name] = next;
    next += Math.ceil(bytes / 16) * 16;
  }
  return { ...starts, end: next } as { [K in keyof T | 'end']: number };
}
