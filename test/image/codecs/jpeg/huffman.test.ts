import { describe, expect, it } from 'vitest';
import {
  blockEnd,
  extend,
  HuffmanTable,
  lookaheadBits,
  lookaheadSize,
  maxCodeLength,
  skipEnd,
  toSingle,
} from '../../../../src/image/codecs/jpeg/huffman.ts';
import { typicalHuffman } from '../../../../src/image/codecs/jpeg/typical-huffman.ts';

interface Definition {
  readonly counts: Uint8Array;
  readonly values: Uint8Array;
}
/** Codes of one bit to sixteen, and symbols that no encoder writes. */
const long: Definition = {
  counts: Uint8Array.from([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]),
  values: Uint8Array.from([0x00, 0xf0, 0x01, 0x21, 0x0a, 0xff, 0x10, 0x33, 0xe0, 0x02, 0x0f, 5, 6, 7, 8, 9]),
};
const definitions: [string, Definition][] = [
  ['luminance DC', typicalHuffman[0]!.dc],
  ['luminance AC', typicalHuffman[0]!.ac],
  ['chrominance AC', typicalHuffman[1]!.ac],
  ['long', long],
];

/** Codes as T.81 annex C makes them, as texts of bits. */
function toCodes({ counts, values }: Definition): Map<string, number> {
  const codes = new Map<string, number>();
  let code = 0;
  let index = 0;
  for (let length = 1; length <= 16; length++) {
    for (let i = 0; i < counts[length - 1]!; i++)
      codes.set((code++).toString(2).padStart(length, '0'), values[index++]!);
    code *= 2;
  }
  return codes;
}
/** The code with which some bits begin. */
function findCode(codes: ReadonlyMap<string, number>, bits: string) {
  for (let length = 1; length <= bits.length; length++) {
    const symbol = codes.get(bits.slice(0, length));
    if (symbol !== undefined) return { symbol, length };
  }
  return undefined;
}
const prefixes = Array.from({ length: lookaheadSize }, (_, prefix) =>
  prefix.toString(2).padStart(lookaheadBits, '0'),
);
/** T.81 F.2.2.1: a value whose first bit is 0 is negative. */
const toSigned = (bits: string) =>
  bits === ''
    ? 0
    : bits[0] === '1'
      ? Number.parseInt(bits, 2)
      : Number.parseInt(bits, 2) - 2 ** bits.length + 1;

describe.each(definitions)('a Huffman table (%s)', (_, definition) => {
  const createTable = () => new HuffmanTable(definition.counts, definition.values);
  const codes = toCodes(definition);

  it('finds the symbol of every code that fits the look-ahead, and none where there is none', () => {
    const table = createTable();
    for (const [prefix, bits] of prefixes.entries()) {
      const found = findCode(codes, bits);
      expect(table.symbols[prefix]).toBe(found ? found.symbol | (found.length << 8) : 0);
    }
  });

  it('finds longer codes by their length, as T.81 F.2.2.3 does', () => {
    const table = createTable();
    for (const [bits, symbol] of codes) {
      let code = Number(bits[0]);
      let length = 1;
      while (code > table.maxCode[length]!) code = code * 2 + Number(bits[length++]);
      expect(length).toBe(bits.length);
      expect(table.values[code + table.valueOffset[length]!]).toBe(symbol);
    }
    expect(table.maxCode[maxCodeLength + 1]).toBeGreaterThan(0xffff);
  });

  it('gives a coefficient at once where code and value fit', () => {
    const table = createTable();
    for (const [prefix, bits] of prefixes.entries()) {
      const found = findCode(codes, bits);
      const size = found ? found.symbol & 15 : 0;
      const end = found ? found.length + size : 0;
      const single = toSingle(table.symbols[prefix]!, prefix);
      if (!found || end > lookaheadBits) {
        expect(single).toBe(0);
        expect(table.coefficients[prefix]).toBe(0);
        continue;
      }
      expect(single & 63).toBe(end);
      expect((single >> 8) & 15).toBe(found.symbol >> 4);
      expect((single & blockEnd) !== 0).toBe(size === 0 && found.symbol !== 0xf0);
      expect(single >> 16).toBe(toSigned(bits.slice(found.length, end)));
      expect(table.coefficients[prefix]).toBe(size === 0 ? 0 : single);
    }
  });

  it('passes over as many coefficients as the look-ahead holds whole', () => {
    const table = createTable();
    for (const [prefix, bits] of prefixes.entries()) {
      let at = 0;
      let advance = 0;
      let isEnd = false;
      for (let found = findCode(codes, bits); found && !isEnd; found = findCode(codes, bits.slice(at))) {
        const [run, size] = [found.symbol >> 4, found.symbol & 15];
        const next = at + found.length + size;
        // The value of the first may reach beyond the look-ahead: it is not looked at.
        if (next > lookaheadBits && at > 0) break;
        at = next;
        isEnd = size === 0 && run < 15;
        if (!isEnd) advance += run + 1;
        if (at > lookaheadBits) break;
      }
      expect(table.skips[prefix]).toBe((isEnd ? skipEnd : 0) | (advance << 8) | at);
    }
  });
});

it('a table with more codes of a length than the shorter ones leave is refused', () => {
  const counts = (...given: number[]) => Uint8Array.from({ length: 16 }, (_, i) => given[i] ?? 0);
  const values = new Uint8Array(256);
  for (const good of [counts(2), counts(1, 2), counts(0, 4), counts(0, 0, 8)])
    expect(() => new HuffmanTable(good, values)).not.toThrow();
  for (const bad of [counts(3), counts(1, 3), counts(2, 1), counts(0, 4, 1)])
    expect(() => new HuffmanTable(bad, values)).toThrow(
      expect.objectContaining({
        code: 'image_malformed',
        message: expect.stringContaining('too many codes'),
      }),
    );
});

it.each([
  [0, 1, -1],
  [1, 1, 1],
  [0, 3, -7],
  [3, 3, -4],
  [4, 3, 4],
  [7, 3, 7],
  [0, 15, -32_767],
])('%i in %i bits stands for %i', (magnitude, size, value) => {
  expect(extend(magnitude, size)).toBe(value);
});
