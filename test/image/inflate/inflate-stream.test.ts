import { constants, deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { BytesInput, type InflateInput } from '../../../src/image/inflate/inflate-input.ts';
import { InflateStream } from '../../../src/image/inflate/inflate-stream.ts';
import { overshootBytes } from '../../../src/image/inflate/layout.ts';
import { createRoutines } from '../fixtures.ts';
import { DeflateWriter } from './deflate-writer.ts';
import { Random } from './random-streams.ts';

const ways = [
  { way: 'plain TypeScript', borrow: () => undefined },
  { way: 'WebAssembly', borrow: () => createRoutines().borrow() },
] as const;

/** Bytes of which half can be foretold. */
function someBytes(length: number, random = new Random(1)): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    bytes[i] = i < 100 || random.once(2) ? random.below(256) : bytes[i - 1 - random.below(100)]!;
  }
  return bytes;
}

const zlibHeader = [0x78, 0x9c];
const stopAt = (end: string) => new RangeError(end);

describe.each(ways)('a zlib stream, by $way', ({ borrow }) => {
  const open = (bytes: Uint8Array, maxBytes: number, longestRun = 1000) =>
    new InflateStream(new BytesInput(bytes), maxBytes, longestRun, stopAt, borrow());

  it('is read in runs, of any length up to the longest', () => {
    const content = someBytes(400_000);
    const stream = open(deflateSync(content), content.length, 150_000);
    const random = new Random(2);
    for (let at = 0; at < content.length; ) {
      const count = Math.min(content.length - at, random.below(random.once(5) ? 150_000 : 3000));
      const address = stream.advance(count);
      expect(
        Buffer.compare(stream.bytes.subarray(address, address + count), content.subarray(at, at + count)),
      ).toBe(0);
      at += count;
    }
    expect(stream.finish()).toBe('intact');
  });

  it('is skipped in part', () => {
    const content = someBytes(300_000);
    const stream = open(deflateSync(content), content.length);
    const target = new Uint8Array(70_000);
    stream.skip(123_456);
    stream.read(target);
    expect(Buffer.compare(target, content.subarray(123_456, 193_456))).toBe(0);
  });

  it('may consist of stored and coded blocks, one after the other, longer than what is at hand of it', () => {
    const content = someBytes(300_000);
    const random = new Random(3);
    const writer = new DeflateWriter();
    for (const byte of zlibHeader) writer.number(byte, 8);
    for (let at = 0; at < content.length; ) {
      // Stored blocks begin at a byte: some of what was fetched goes back.
      const count = Math.min(content.length - at, random.below(400));
      writer.number(0, 3);
      writer.align();
      writer.number(count, 16);
      writer.number(~count & 0xffff, 16);
      for (let i = 0; i < count; i++) writer.number(content[at + i]!, 8);
      at += count;
      // An empty block of fixed codes: its end alone.
      writer.number(2, 3);
      writer.number(0, 7);
    }
    writer.number(3, 3);
    writer.number(0, 7);
    const stream = open(writer.toBytes(), content.length);
    expect(Buffer.compare(stream.readAll(), content)).toBe(0);
    expect(stream.end === undefined || stream.end === 'ended').toBe(true);
  });

  it('may repeat what lies 32 KiB back, across all that is held', () => {
    const tile = someBytes(32_768);
    const content = new Uint8Array(tile.length * 9);
    for (let at = 0; at < content.length; at += tile.length) content.set(tile, at);
    const stream = open(deflateSync(content, { level: 9 }), content.length);
    expect(Buffer.compare(stream.readAll(), content)).toBe(0);
    expect(stream.finish()).toBe('intact');
  });

  it.each(Array.from({ length: 40 }, (_, index) => index + 1))(
    'may repeat patterns of %i bytes',
    (period) => {
      const content = Uint8Array.from({ length: 1000 }, (_, i) => (i % period) * 5 + 1);
      const stream = open(deflateSync(content, { level: 9 }), content.length);
      expect(stream.readAll()).toEqual(content);
    },
  );

  it.each([
    ['stored', { level: 0 }],
    ['fixed', { strategy: constants.Z_FIXED }],
    ['literals alone', { strategy: constants.Z_HUFFMAN_ONLY }],
    ['runs', { strategy: constants.Z_RLE }],
    ['many small blocks', { memLevel: 1 }],
    ['a window of 512 bytes', { windowBits: 9 }],
  ])('has blocks of every type: %s', (_, options) => {
    const content = someBytes(200_000);
    const stream = open(deflateSync(content, options), content.length);
    expect(Buffer.compare(stream.readAll(), content)).toBe(0);
    expect(stream.finish()).toBe('intact');
  });

  const content = someBytes(500);
  const whole = deflateSync(content);

  it('is read again in the same memory', () => {
    const stream = open(whole.subarray(0, 100), 500);
    stream.readAll();
    stream.restart(new BytesInput(whole), 500);
    expect(stream.readAll()).toEqual(content);
    expect(stream.finish()).toBe('intact');
  });

  it.each([
    ['intact', 'what trails it is ignored', () => Buffer.concat([whole, Buffer.alloc(50, 1)])],
    [
      'damaged',
      'its checksum is wrong',
      () => whole.map((byte, i) => (i === whole.length - 1 ? byte ^ 1 : byte)),
    ],
    ['damaged', 'its checksum is cut', () => whole.subarray(0, -1)],
    ['damaged', 'its checksum is missing', () => whole.subarray(0, -4)],
    ['damaged', 'it has no last block', () => deflateSync(content, { finishFlush: constants.Z_SYNC_FLUSH })],
    ['longer', 'it goes on', () => deflateSync(someBytes(501))],
    ['longer', 'it goes on for long', () => deflateSync(someBytes(100_000))],
  ])('ends %s if %s', (end, _, make) => {
    const stream = open(make(), 500);
    stream.skip(500);
    expect(stream.finish()).toBe(end);
  });

  it.each([
    ['cut', 'cut', whole.subarray(0, -1)],
    ['missing', 'cut', whole.subarray(0, -4)],
    ['wrong', 'ended', whole.map((byte, i) => byte ^ Number(i === whole.length - 1))],
  ])('whose checksum is %s is %s', (_, end, bytes) => {
    const stream = open(bytes, 500);
    stream.skip(500);
    stream.finish();
    expect(stream.end).toBe(end);
  });

  it.each([
    ['cut', 'there is nothing', []],
    ['cut', 'half a header is there', [0x78]],
    ['invalid', 'the header has a wrong check', [0x78, 0x9d]],
    ['invalid', 'the method is another', [0x79, 0x18, 3, 0, 0, 0, 0, 1]],
    ['invalid', 'the window is larger than 32 KiB', [0x88, 0x1c]],
    ['invalid', 'a dictionary is asked for', [0x78, 0xbb, 3, 0, 0, 0, 0, 1]],
    ['invalid', 'a block has the type that there is not', [...zlibHeader, 7]],
    ['invalid', 'a stored block has a wrong length', [...zlibHeader, 1, 1, 0, 1, 0, 0]],
    ['invalid', 'a match goes back behind the beginning', [...zlibHeader, 3, 2, 0, 0, 0]],
    ['cut', 'a block is cut', [...zlibHeader, 0x4b]],
    ['ended', 'it holds less than was declared', [...zlibHeader, 3, 0, 0, 0, 0, 1]],
  ])('says %s where it stops because %s', (end, _, bytes) => {
    const stream = open(Uint8Array.from(bytes), 10);
    expect(() => stream.advance(1)).toThrow(end);
    // And again.
    expect(() => stream.advance(1)).toThrow(end);
  });

  it('gives all that comes before it breaks the rules', () => {
    const parts = Buffer.concat([
      deflateSync(content, { finishFlush: constants.Z_SYNC_FLUSH }),
      Buffer.from([7]),
    ]);
    const stream = open(parts, 1000);
    const read = new Uint8Array(500);
    stream.read(read);
    expect(read).toEqual(content);
    expect(() => stream.advance(1)).toThrow('invalid');
  });

  it('takes input as it comes, and none that is not wanted', () => {
    const compressed = deflateSync(someBytes(2_000_000));
    let taken = 0;
    const input: InflateInput = {
      fill(memory, address, room) {
        const part = compressed.subarray(taken, taken + room);
        memory.set(part, address);
        taken += part.length;
        return part.length;
      },
    };
    const stream = new InflateStream(input, 2_000_000, 1000, stopAt, borrow());
    stream.skip(1000);
    expect(taken).toBeLessThan(150_000);
    stream.skip(1_999_000);
    expect(stream.finish()).toBe('intact');
    expect(taken).toBe(compressed.length);
  });
});

it('inflates no more than was declared, whatever a stream would become', () => {
  const bomb = deflateSync(Buffer.alloc(50_000_000));
  const arena = createRoutines().borrow()!;
  let inflated = 0;
  const stream = new InflateStream(new BytesInput(bomb), 10_000, 100, stopAt, {
    get bytes() {
      return arena.bytes;
    },
    allocate: (bytes: number) => arena.allocate(bytes),
    routines: {
      ...arena.routines,
      adler32(address: number, count: number, previous: number) {
        inflated += count;
        return arena.routines.adler32(address, count, previous);
      },
    },
  } as typeof arena);
  stream.skip(10_000);
  expect(stream.finish()).toBe('longer');
  expect(inflated).toBeLessThan(10_000 + 2 * overshootBytes);
});
