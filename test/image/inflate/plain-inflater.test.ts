import { constants, deflateSync, inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { inflateAll } from '../../../src/image/inflate/inflate-all.ts';
import { BytesInput } from '../../../src/image/inflate/inflate-input.ts';
import { InflateStream } from '../../../src/image/inflate/inflate-stream.ts';
import { createRoutines } from '../fixtures.ts';
import { DeflateWriter, toCodes } from './deflate-writer.ts';
import { inflate, inflateByZlib, writeBlock } from './dynamic-block.ts';

const ways = [
  { way: 'plain TypeScript', borrow: () => undefined },
  { way: 'WebAssembly', borrow: () => createRoutines().borrow() },
];
const fixedLiterals = toCodes(
  Array.from({ length: 288 }, (_, symbol) => (symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8)),
);
const fixedDistances = toCodes(new Array<number>(32).fill(5));
const endOfBlock = 256;

/** A block of so many bytes as they are, and one of the fixed codes. */
function toRaw(storedBytes: number, write: (writer: DeflateWriter) => void): Uint8Array {
  const writer = new DeflateWriter();
  writer.number(0, 3);
  writer.align();
  writer.number(storedBytes, 16);
  writer.number(~storedBytes & 0xffff, 16);
  for (let i = 0; i < storedBytes; i++) writer.number(i % 251, 8);
  writer.number(0b011, 3);
  write(writer);
  writer.code(fixedLiterals[endOfBlock]!);
  return writer.toBytes();
}
/** A match of three bytes. */
const match =
  (distance: number, extra = 0, extraBits = 0) =>
  (writer: DeflateWriter) => {
    writer.code(fixedLiterals[257]!);
    writer.code(fixedDistances[distance]!);
    writer.number(extra, extraBits);
  };

/** Fifteen lengths, the two last symbols with the longest. */
const deep = [...Array.from({ length: 14 }, (_, i) => i + 1), 15, 15];

const streams: Record<string, Uint8Array> = {
  'a match of the first byte': toRaw(1, match(0)),
  'a match before the first byte': toRaw(1, match(1)),
  'a match of the first byte, 300 back': toRaw(300, match(16, 43, 7)),
  'a match 301 back, before the first byte': toRaw(300, match(16, 44, 7)),
  'the largest distance': toRaw(40_000, match(29, 8191, 13)),
  'distance symbol 30, which there is not': toRaw(60_000, match(30)),
  'distance symbol 31, which there is not': toRaw(60_000, match(31)),
  'length symbol 286, which there is not': toRaw(60_000, (writer) => writer.code(fixedLiterals[286]!)),
  'length symbol 287, which there is not': toRaw(60_000, (writer) => writer.code(fixedLiterals[287]!)),
  'codes of 1 to 15 bits': (() => {
    const writer = new DeflateWriter();
    // Literals 0 to 12, the end of the block and lengths of 3 and 4; distances of 1 to 25.
    const literals = [...deep.slice(0, 13), ...new Array<number>(243).fill(0), ...deep.slice(13)];
    const distances = deep;
    writeBlock(
      writer,
      {
        literals: literals.length,
        distances: distances.length,
        lengths: [...deep.slice(0, 13), [18, 138], [18, 105], ...deep.slice(13), ...distances],
        content: () => {
          const [codes, distanceCodes] = [toCodes(literals), toCodes(distances)];
          for (let i = 0; i < 300; i++) writer.code(codes[(i * 7) % 13]!);
          for (let i = 0; i < 80; i++) {
            writer.code(codes[257 + (i % 2)]!);
            writer.code(distanceCodes[i % 16]!);
            writer.number(i, Math.max(0, ((i % 16) >> 1) - 1));
          }
          writer.code(codes[endOfBlock]!);
        },
      },
      true,
    );
    return writer.toBytes();
  })(),
};

describe.each(ways)('by $way', ({ borrow }) => {
  it.each(Object.entries(streams))('%s: as by zlib', (name, raw) => {
    const expected = inflateByZlib(raw);
    expect(expected === 'Z_DATA_ERROR').toBe(/before the first byte|which there is not/.test(name));
    expect(inflate(raw, borrow())).toBe(expected);
  });

  const content = Uint8Array.from({ length: 600 }, (_, i) => (i % 7 === 0 ? (i * i) % 256 : i % 5));
  it.each([
    ['codes of its own', constants.Z_DEFAULT_STRATEGY],
    ['the fixed codes', constants.Z_FIXED],
  ])('a stream of %s that is cut anywhere gives what zlib gives of it', (_, strategy) => {
    const whole = deflateSync(content, { strategy });
    const arena = borrow();
    const stream = new InflateStream(new BytesInput(whole), 600, 0, (end) => new Error(end), arena);
    for (let length = 0; length < whole.length - 4; length++) {
      const bytes = whole.subarray(0, length);
      stream.restart(new BytesInput(bytes), 1000);
      const expected = length < 2 ? [] : inflateSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH });
      expect([...stream.readAll()]).toEqual([...expected]);
      if (expected.length < 600) expect(stream.end).toBe('cut');
    }
  });
});

describe('all of a stream', () => {
  const content = Uint8Array.from({ length: 1000 }, (_, i) => (i * i) % 251);
  const whole = new Uint8Array(deflateSync(content, { strategy: constants.Z_HUFFMAN_ONLY }));

  it('is there where it may be as long', () => {
    expect(inflateAll(whole, 1000)).toEqual(content);
  });

  it('is refused where it may not', () => {
    expect(inflateAll(whole, 999)).toBeUndefined();
  });

  it('is what there is of one that is cut', () => {
    const some = inflateAll(whole.subarray(0, 500), 1000)!;
    expect(some.length).toBeGreaterThan(100);
    expect(some).toEqual(content.subarray(0, some.length));
  });

  it('is refused if it breaks the rules', () => {
    expect(inflateAll(Uint8Array.of(0x78, 0x9c, 7), 1000)).toBeUndefined();
  });
});
