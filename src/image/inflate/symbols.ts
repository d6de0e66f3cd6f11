/**
 * What the symbols of compressed blocks mean, and how an entry of a look-up table says it. An entry is 32 bits:
 *
 * - bits 0 to 5: how many bits of the stream it takes, extra bits included; bits 8 to 11: those of the code alone
 * - a literal: `literal` is set, its value stands in bits 12 to 19; of a pair the second in bits 20 to 27, and `pair`
 * - a length or distance: the least it can be, from bit 16 on; its extra bits come on top
 * - anything else: `exceptional` (for distances `exceptionalDistance`), and what it is
 * - the place of another table: its bits in bits 8 to 11, its first entry from bit 12 on
 *
 * @see RFC 1951 3.2.5 (compressed blocks)
 */
export const entryFlags = {
  literal: 0x8000_0000,
  pair: 1 << 28,
  exceptional: 1 << 30,
  exceptionalDistance: 0x8000_0000,
  endOfBlock: 1 << 29,
  invalid: 1 << 28,
  subtable: 1 << 27,
} as const;
export const literalShift = 12;
export const pairShift = 20;
export const baseShift = 16;
export const subtableBitsShift = 8;
export const subtableStartShift = 12;

export const maxCodeLength = 15;
export const literalSymbols = 288;
export const distanceSymbols = 32;
export const lengthCodeSymbols = 19;
export const endOfBlockSymbol = 256;
/** A header may declare no more than these. The other symbols of the fixed codes mean nothing. @see RFC 1951 3.2.6 */
export const maxDeclaredLiterals = 286;
export const maxDeclaredDistances = 30;
export const maxMatchLength = 258;
export const historyBytes = 32_768;

/** In which order the lengths of the codes for lengths come. @see RFC 1951 3.2.7 */
export const lengthCodeOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15] as const;

/** Bits of the look-up tables; longer codes need a second look-up. */
export const literalTableBits = 12;
export const distanceTableBits = 9;
export const lengthCodeTableBits = 7;
/**
 * Entries that a table and its second tables take at most. A second table of k bits has 2^k entries for k + 1 codes or
 * more; k is at most 3 here for literals and 6 for distances: 2, and less than 10, entries a code.
 */
export const literalTableEntries = (1 << literalTableBits) + 2 * literalSymbols;
export const distanceTableEntries = (1 << distanceTableBits) + 10 * distanceSymbols;

/** Entries of all symbols, to which the length of each code is added twice: `toEntry`. */
export const literalMeanings = Uint32Array.from({ length: literalSymbols }, (_, symbol) => {
  if (symbol < endOfBlockSymbol) return entryFlags.literal + symbol * 2 ** literalShift;
  if (symbol === endOfBlockSymbol) return entryFlags.exceptional + entryFlags.endOfBlock;
  if (symbol >= maxDeclaredLiterals) return entryFlags.exceptional + entryFlags.invalid;
  return toLengthMeaning(symbol - endOfBlockSymbol - 1);
});
export const distanceMeanings = Uint32Array.from({ length: distanceSymbols }, (_, symbol) => {
  if (symbol >= maxDeclaredDistances) return entryFlags.exceptionalDistance + entryFlags.invalid;
  const extraBits = Math.max(0, (symbol >> 1) - 1);
  const base = symbol < 4 ? symbol + 1 : ((2 + (symbol & 1)) << extraBits) + 1;
  return base * 2 ** baseShift + extraBits;
});
export const lengthCodeMeanings = Uint32Array.from(
  { length: lengthCodeSymbols },
  (_, symbol) => symbol << baseShift,
);

/** @param index of a length symbol, 0 to 28; the last is the longest match alone. */
function toLengthMeaning(index: number): number {
  if (index === 28) return maxMatchLength << baseShift;
  const extraBits = Math.max(0, (index >> 2) - 1);
  const base = index < 8 ? index + 3 : ((4 + (index & 3)) << extraBits) + 3;
  return (base << baseShift) + extraBits;
}

/** What `meaning` becomes for a code of so many bits. */
export const toEntry = (meaning: number, codeLength: number) => meaning + codeLength * 0x101;

/** Lengths of the fixed codes. @see RFC 1951 3.2.6 */
export const fixedLiteralLengths = Uint8Array.from({ length: literalSymbols }, (_, symbol) => {
  if (symbol < 144) return 8;
  if (symbol < 256) return 9;
  return symbol < 280 ? 7 : 8;
});
export const fixedDistanceLengths = new Uint8Array(distanceSymbols).fill(5);
