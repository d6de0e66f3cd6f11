import { describe, expect, it } from 'vitest';
import { buildTable, type CodeRule } from '../../../src/image/inflate/plain-tables.ts';
import { baseShift, entryFlags } from '../../../src/image/inflate/symbols.ts';
import { toCodes } from './deflate-writer.ts';

const exceptional = entryFlags.exceptional;
/** Each symbol means itself. */
const meanings = Uint32Array.from({ length: 288 }, (_, symbol) => symbol << baseShift);

function build(lengths: readonly number[], maxTableBits: number, rule: CodeRule = 'complete') {
  const table = new Uint32Array(1 << 16);
  const bits = buildTable(Uint8Array.from(lengths), meanings, table, maxTableBits, exceptional, rule);
  return { table, bits };
}

/** What a table says of the next bits of a stream: the symbol, and how many of the bits are its code. */
function lookUp({ table, bits }: ReturnType<typeof build>, stream: number) {
  const first = table[stream & ((1 << bits) - 1)]!;
  const isPlace = (first & exceptional) !== 0 && (first & entryFlags.subtable) !== 0;
  const taken = isPlace ? first & 63 : 0;
  const start = (first >>> 12) & 0x7fff;
  const entry = isPlace ? table[start + ((stream >> taken) & ((1 << ((first >>> 8) & 15)) - 1))]! : first;
  return { symbol: entry >>> baseShift, length: taken + ((entry >>> 8) & 15), all: taken + (entry & 63) };
}

/** A code as it stands in a stream: its first bit lowest. */
function reverse(code: number, length: number): number {
  let reversed = 0;
  for (let bit = 0; bit < length; bit++) reversed |= ((code >> bit) & 1) << (length - 1 - bit);
  return reversed;
}

const fixed = Array.from({ length: 288 }, (_, symbol) =>
  symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8,
);
const deep = [...Array.from({ length: 14 }, (_, i) => i + 1), 15, 15];

describe.each([
  { code: 'of two symbols', lengths: [1, 1] },
  { code: 'of which the last symbols have none', lengths: [2, 0, 1, 2, 0, 0] },
  { code: 'whose lengths fall', lengths: [3, 3, 2, 1] },
  { code: 'of one symbol a length, up to the longest', lengths: deep },
  { code: 'the other way round', lengths: deep.toReversed() },
  { code: 'of 32 of 5 bits', lengths: new Array<number>(32).fill(5) },
  { code: 'that RFC 1951 fixes', lengths: fixed },
  { code: 'of a short one and many long ones', lengths: [1, ...new Array<number>(64).fill(7)] },
  {
    code: 'of long ones of two lengths',
    lengths: [1, 2, 3, 4, ...new Array<number>(4).fill(7), ...new Array<number>(8).fill(8)],
  },
])('the code $code', ({ lengths }) => {
  it.each([1, 2, 3, 4, 7, 9, 12])('is looked up by %i bits or fewer, whatever follows', (maxTableBits) => {
    const built = build(lengths, maxTableBits);
    expect(built.bits).toBe(Math.min(maxTableBits, Math.max(...lengths)));
    for (const [symbol, { code, length }] of toCodes(lengths).entries()) {
      if (length === 0) continue;
      for (const behind of [0, 0x5555, 0x2aaa, 0x7fff]) {
        const stream = reverse(code, length) | (behind << length);
        expect(lookUp(built, stream)).toEqual({ symbol, length, all: length });
      }
    }
  });
});

describe('a code that is not complete', () => {
  const one = [0, 0, 1];
  const none = [0, 0, 0];

  it.each<[string, number[]]>([
    ['has more than fit', [1, 1, 1]],
    ['has more than fit at the longest', [...deep, 15]],
    ['leaves some free', [1, 2]],
    ['leaves some free at the longest', deep.slice(1)],
    ['has one of two bits', [2]],
  ])('is none if it %s', (_, lengths) => {
    for (const rule of ['complete', 'completeOrOne', 'completeOrOneOrNone'] as const) {
      expect(build(lengths, 9, rule).bits).toBe(0);
    }
  });

  it.each<[string, number[], CodeRule, number]>([
    ['one', one, 'complete', 0],
    ['one', one, 'completeOrOne', 1],
    ['one', one, 'completeOrOneOrNone', 1],
    ['none', none, 'complete', 0],
    ['none', none, 'completeOrOne', 0],
    ['none', none, 'completeOrOneOrNone', 1],
  ])('may have %s (%s) where the rule is %s: %i', (_, lengths, rule, bits) => {
    expect(build(lengths, 9, rule).bits).toBe(bits);
  });

  const invalid = exceptional + entryFlags.invalid + 0x101;

  it('has its one symbol for 0, and nothing for 1', () => {
    const { table } = build(one, 9, 'completeOrOne');
    expect([...table.subarray(0, 2)]).toEqual([meanings[2]! + 0x101, invalid]);
  });

  it('has nothing for either where there is none', () => {
    const { table } = build(none, 9, 'completeOrOneOrNone');
    expect([...table.subarray(0, 2)]).toEqual([invalid, invalid]);
  });
});

it('second tables are no larger than their codes need', () => {
  // By 4 bits: behind one prefix stand 4 of 7 bits and 8 of 8.
  const lengths = [1, 2, 3, 4, ...new Array<number>(4).fill(7), ...new Array<number>(8).fill(8)];
  const { table } = build(lengths, 4);
  expect(table.findLastIndex((entry) => entry !== 0)).toBe(16 + 16 - 1);
});
