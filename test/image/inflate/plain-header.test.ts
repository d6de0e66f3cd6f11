import { describe, expect, it } from 'vitest';
import { createRoutines } from '../fixtures.ts';
import { DeflateWriter } from './deflate-writer.ts';
import { type Block, inflate, inflateByZlib, toStream, usualCodes, writeBlock } from './dynamic-block.ts';

/** 256 symbols without a code. */
const nothing = [
  [18, 138],
  [18, 118],
] as const;

const cases: Record<string, Block> = {
  'the end of the block alone, and no distance': { literals: 257, distances: 1, lengths: [...nothing, 1, 0] },
  'one distance of one bit': { literals: 257, distances: 1, lengths: [...nothing, 1, 1] },
  'one distance of two bits': { literals: 257, distances: 1, lengths: [...nothing, 1, 2] },
  'no end of the block': { literals: 257, distances: 1, lengths: [1, 1, [18, 138], [18, 115], 0, 0, 0] },
  'no end of the block, and one literal': {
    literals: 257,
    distances: 1,
    lengths: [1, [18, 138], [18, 117], 0, 1],
  },
  'an end of the block of two bits alone': { literals: 257, distances: 1, lengths: [...nothing, 2, 1] },
  'more codes than fit': { literals: 257, distances: 1, lengths: [1, 1, [18, 138], [18, 116], 1, 1] },
  'as many literals as there may be': { literals: 286, distances: 1, lengths: [...nothing, 1, [18, 29], 1] },
  'a literal more': { literals: 287, distances: 1, lengths: [...nothing, 1, [18, 30], 1] },
  'as many distances as there may be': {
    literals: 257,
    distances: 30,
    lengths: [...nothing, 1, [18, 29], 1],
  },
  'a distance more': { literals: 257, distances: 31, lengths: [...nothing, 1, [18, 30], 1] },
  'a repetition of nothing': { literals: 257, distances: 1, lengths: [[16, 3], [18, 138], [18, 115], 1, 1] },
  'a repetition that ends at the end': { literals: 257, distances: 4, lengths: [...nothing, 1, 2, [16, 3]] },
  'a repetition that goes over the end': {
    literals: 257,
    distances: 4,
    lengths: [...nothing, 1, 2, [16, 4]],
  },
  'zeros that go over the end': { literals: 257, distances: 9, lengths: [...nothing, 1, [17, 10]] },
  'many zeros that go over the end': { literals: 257, distances: 10, lengths: [...nothing, 1, [18, 11]] },
  'zeros up to the end': { literals: 257, distances: 10, lengths: [...nothing, 1, [17, 10]] },
  'a repetition from literals into distances': {
    literals: 258,
    distances: 4,
    lengths: [1, [18, 138], [18, 117], 2, [16, 5]],
    content: (writer) => writer.number(0b010, 3),
  },
  'repetitions of every kind, the shortest and the longest': {
    literals: 257,
    distances: 1,
    // 32 codes of 5 bits: 138 to 168, and the end.
    lengths: [
      [18, 138],
      5,
      ...Array(4).fill([16, 6]),
      [16, 3],
      [16, 3],
      [17, 10],
      [17, 3],
      [18, 11],
      [18, 63],
      5,
      0,
    ],
    content: (writer) => writer.number(0b11111_01000_00000, 15),
  },
  'codes for lengths that leave some free': {
    literals: 257,
    distances: 1,
    lengths: [...nothing, 1, 0],
    codes: usualCodes.with(2, 0),
  },
  'more codes for lengths than fit': {
    literals: 257,
    distances: 1,
    lengths: [...nothing, 1, 0],
    codes: usualCodes.with(2, 3),
  },
  'one code for lengths': {
    literals: 257,
    distances: 1,
    lengths: [
      [18, 138],
      [18, 120],
    ],
    codes: new Array<number>(19).fill(0).with(18, 1),
  },
  'no code for lengths': { literals: 257, distances: 1, lengths: [], codes: new Array<number>(19).fill(0) },
  'four codes for lengths': {
    literals: 257,
    distances: 1,
    lengths: [
      [18, 138],
      [18, 120],
    ],
    codes: new Array<number>(19).fill(0).with(0, 1).with(18, 1),
    declaredCodes: 4,
  },
  'eighteen codes for lengths': {
    literals: 257,
    distances: 1,
    lengths: [...nothing, 1, 0],
    codes: new Array<number>(19).fill(0).with(0, 2).with(18, 2).with(1, 1),
    declaredCodes: 18,
  },
  'a length and no distance': { literals: 258, distances: 1, lengths: [...nothing, 1, 1, 0] },
  'a length, which is used, and no distance': {
    literals: 258,
    distances: 1,
    lengths: [...nothing, 1, 1, 0],
    content: (writer) => writer.number(0b001, 3),
  },
};

describe.each(Object.entries(cases))('a block whose header declares %s', (_, block) => {
  const raw = toStream(block);
  const expected = inflateByZlib(raw);

  it.each([
    { way: 'plain TypeScript', borrow: () => undefined },
    { way: 'WebAssembly', borrow: () => createRoutines().borrow() },
  ])(`is read as zlib reads it, by $way: ${expected || 'nothing'}`, ({ borrow }) => {
    expect(inflate(raw, borrow())).toBe(expected);
  });
});

it('a block repeats nothing of the block before it', () => {
  const writer = new DeflateWriter();
  const block = { literals: 257, distances: 1, lengths: [...nothing, 1, 0] };
  writeBlock(writer, block, false);
  writeBlock(writer, { ...block, lengths: [[16, 3], [18, 138], [18, 115], 1, 0] }, true);
  const raw = writer.toBytes();
  expect(inflateByZlib(raw)).toBe('Z_DATA_ERROR');
  expect(inflate(raw)).toBe('Z_DATA_ERROR');
  expect(inflate(raw, createRoutines().borrow())).toBe('Z_DATA_ERROR');
});
