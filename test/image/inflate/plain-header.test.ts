import { inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { BytesInput } from '../../../src/image/inflate/inflate-input.ts';
import { InflateStream } from '../../../src/image/inflate/inflate-stream.ts';
import type { PixelArena } from '../../../src/image/pixel-arena.ts';
import { createRoutines } from '../fixtures.ts';
import { DeflateWriter, lengthCodeOrder, toCodes } from './deflate-writer.ts';

/** Codes for lengths: 13 of 4 bits and 6 of 5, which is complete. */
const usualCodes = Array.from({ length: 19 }, (_, symbol): number => (symbol < 13 ? 4 : 5));

interface Block {
  readonly literals: number;
  readonly distances: number;
  /** Symbols of the code for lengths, a repetition with how often it repeats. */
  readonly lengths: readonly (number | readonly [symbol: number, times: number])[];
  readonly codes?: readonly number[];
  /** How many codes for lengths are written. */
  readonly declaredCodes?: number;
  /** Writes what the block holds; without it the end of the block alone, by its code of one 0. */
  readonly content?: (writer: DeflateWriter) => void;
}

function write(block: Block): Uint8Array {
  const { literals, distances, lengths, codes = usualCodes, declaredCodes = 19, content } = block;
  const writer = new DeflateWriter();
  // The last block, of codes of its own.
  writer.number(0b101, 3);
  writer.number(literals - 257, 5);
  writer.number(distances - 1, 5);
  writer.number(declaredCodes - 4, 4);
  for (const symbol of lengthCodeOrder.slice(0, declaredCodes)) writer.number(codes[symbol]!, 3);
  const written = toCodes(codes);
  for (const each of lengths) {
    const [symbol, times] = typeof each === 'number' ? [each, 0] : each;
    writer.code(written[symbol]!);
    if (symbol === 16) writer.number(times - 3, 2);
    if (symbol === 17) writer.number(times - 3, 3);
    if (symbol === 18) writer.number(times - 11, 7);
  }
  if (content) content(writer);
  else writer.number(0, 1);
  // What is behind the end is not looked at, but something is there.
  for (let i = 0; i < 100; i++) writer.number(0xff, 8);
  return writer.toBytes();
}

function inflateByZlib(raw: Uint8Array): string {
  try {
    return inflateRawSync(raw).toString('hex');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code!;
  }
}

function inflate(raw: Uint8Array, arena?: PixelArena): string {
  const bytes = Uint8Array.of(0x78, 0x9c, ...raw);
  const stream = new InflateStream(new BytesInput(bytes), 1000, 0, (end) => new Error(end), arena);
  const content = stream.readAll();
  return stream.end === 'invalid' ? 'Z_DATA_ERROR' : Buffer.from(content).toString('hex');
}

/** 256 symbols without a code. */
const nothing = [
  [18, 138],
  [18, 118],
] as const;

const cases: Record<string, Block> = {
  'the end of the block alone, and no distance': { literals: 257, distances: 1, lengths: [...nothing, 1, 0] },
  'one distance of one bit': { literals: 257, distances: 1, lengths: [...nothing, 1, 1] },
  'one distance of two bits': { literals: 257, distances: 1, lengths: [...nothing, 1, 2] },
  'no end of the block': { literals: 257, distances: 1, lengths: [1, [18, 138], [18, 117], 0, 1] },
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
  const raw = write(block);
  const expected = inflateByZlib(raw);

  it.each([
    { way: 'plain TypeScript', borrow: () => undefined },
    { way: 'WebAssembly', borrow: () => createRoutines().borrow() },
  ])(`is read as zlib reads it, by $way: ${expected || 'nothing'}`, ({ borrow }) => {
    expect(inflate(raw, borrow())).toBe(expected);
  });
});
