import { entryFlags, maxCodeLength, subtableBitsShift, subtableStartShift, toEntry } from './symbols.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

const lengthCounts = new Uint16Array(maxCodeLength + 1);
const sortedStarts = new Uint16Array(maxCodeLength + 2);
const sorted = new Uint16Array(512);

/** Which codes a kind of alphabet may have: see RFC 1951 3.2.7, and zlib's inftrees.c for what it takes beyond that. */
export type CodeRule = 'complete' | 'completeOrOne' | 'completeOrOneOrNone';

/**
 * Builds a look-up table of a prefix code: by the next `tableBits` bits of the stream, the first of which is the
 * lowest. Codes that are longer lead to a second table.
 *
 * @param lengths bits of the code of each symbol; 0 if it has none.
 * @param meanings of the symbols: see symbols.ts.
 * @param exceptional the flag that makes an entry neither literal, length nor distance.
 * @returns bits of the table, at most `maxTableBits`; 0 if there is no such code.
 * @see RFC 1951 3.2.2
 */
export function buildTable(
  lengths: Uint8Array,
  meanings: Uint32Array,
  table: Uint32Array,
  maxTableBits: number,
  exceptional: number,
  rule: CodeRule,
): number {
  lengthCounts.fill(0);
  for (const length of lengths) lengthCounts[length]!++;
  const used = lengths.length - lengthCounts[0]!;
  let left = 1;
  let longest = 0;
  for (let length = 1; length <= maxCodeLength; length++) {
    left = left * 2 - lengthCounts[length]!;
    if (left < 0) return 0;
    if (lengthCounts[length]! > 0) longest = length;
  }
  if (left > 0) {
    const isOne = longest === 1 && rule !== 'complete';
    const isNone = used === 0 && rule === 'completeOrOneOrNone';
    if (!isOne && !isNone) return 0;
    table[1] = toEntry(exceptional + entryFlags.invalid, 1);
    table[0] = isOne ? toEntry(meanings[lengths.indexOf(1)]!, 1) : table[1];
    return 1;
  }
  sortSymbols(lengths);
  const tableBits = Math.min(maxTableBits, longest);
  fillTable(meanings, table, tableBits, exceptional, used);
  return tableBits;
}

/** Symbols by the length of their codes, and among those of one length by their number. */
function sortSymbols(lengths: Uint8Array): void {
  sortedStarts[1] = 0;
  for (let length = 1; length <= maxCodeLength; length++) {
    sortedStarts[length + 1] = sortedStarts[length]! + lengthCounts[length]!;
  }
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    if (lengths[symbol]! > 0) sorted[sortedStarts[lengths[symbol]!]!++] = symbol;
  }
}

function fillTable(
  meanings: Uint32Array,
  table: Uint32Array,
  tableBits: number,
  exceptional: number,
  used: number,
): void {
  let code = 0;
  let length = 1;
  let ofLength = lengthCounts[1]!;
  let end = 1 << tableBits;
  let subtablePrefix = -1;
  let subtableStart = 0;
  for (let index = 0; index < used; index++) {
    while (ofLength === 0) ofLength = lengthCounts[++length]!;
    const meaning = meanings[sorted[index]!]!;
    if (length <= tableBits) {
      for (let at = code; at < 1 << tableBits; at += 1 << length) table[at] = toEntry(meaning, length);
    } else {
      const prefix = code & ((1 << tableBits) - 1);
      if (prefix !== subtablePrefix) {
        subtablePrefix = prefix;
        subtableStart = end;
        const bits = toSubtableBits(length - tableBits, ofLength, tableBits);
        end += 1 << bits;
        const place = (subtableStart << subtableStartShift) + (bits << subtableBitsShift);
        table[prefix] = exceptional + entryFlags.subtable + place + tableBits;
      }
      const entry = toEntry(meaning, length - tableBits);
      for (let at = subtableStart + (code >> tableBits); at < end; at += 1 << (length - tableBits)) {
        table[at] = entry;
      }
    }
    code = nextCode(code, length);
    ofLength--;
  }
}

/** Bits of a second table, which begins with a code of so many bits: until its codes fill it. */
function toSubtableBits(first: number, ofLength: number, tableBits: number): number {
  let bits = first;
  for (let filled = ofLength; filled < 1 << bits; ) {
    bits++;
    filled = filled * 2 + lengthCounts[tableBits + bits]!;
  }
  return bits;
}

/** The next code of a prefix code, whose first bit is the lowest: 1 is added at the highest bit. */
function nextCode(code: number, length: number): number {
  const zeros = ~code & ((1 << length) - 1);
  if (zeros === 0) return code;
  const bit = 1 << (31 - Math.clz32(zeros));
  return (code & (bit - 1)) | bit;
}
