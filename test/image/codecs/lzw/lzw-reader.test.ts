import { describe, expect, it } from 'vitest';
import { openGifLzw } from '../../../../src/image/codecs/gif/lzw-reader.ts';
import { TiffLzwReader } from '../../../../src/image/codecs/tiff/lzw-reader.ts';

type Code = readonly [code: number, bits: number];

interface Dialect {
  readonly valueBits: number;
  /** By how many codes earlier than they must codes grow. */
  readonly early: 0 | 1;
}

/** As GIF89a appendix F and TIFF 6.0 section 13 compress: a clear code first, and another one when the table is full. */
function compress(values: readonly number[], { valueBits, early }: Dialect, clearsFullTable = true): Code[] {
  const clear = 1 << valueBits;
  const codes: Code[] = [[clear, valueBits + 1]];
  let table = new Map<string, number>();
  let bits = valueBits + 1;
  let next = clear + 2;
  let string: number[] = [];
  const codeOf = (of: readonly number[]) => (of.length === 1 ? of[0]! : table.get(of.join()));
  const write = () => {
    codes.push([codeOf(string)!, bits]);
    // The reader has one entry less: it knows the last one with the next code.
    if (next - 1 + early === 1 << bits && bits < 12) bits++;
  };
  for (const value of values) {
    const longer = [...string, value];
    if (codeOf(longer) !== undefined) {
      string = longer;
      continue;
    }
    if (next < 4096) table.set(longer.join(), next++);
    write();
    if (next === 4095 && clearsFullTable) {
      codes.push([clear, bits]);
      table = new Map();
      bits = valueBits + 1;
      next = clear + 2;
    }
    string = [value];
  }
  if (string.length > 0) {
    next++;
    write();
  }
  codes.push([clear + 1, bits]);
  return codes;
}

/** Bytes whose first bit is the lowest, or the highest. */
function pack(codes: readonly Code[], first: 'lowest' | 'highest'): number[] {
  const stream = codes.flatMap(([code, bits]) => {
    const each = Array.from({ length: bits }, (_, bit) => (code >> bit) & 1);
    return first === 'lowest' ? each : each.toReversed();
  });
  return Array.from({ length: Math.ceil(stream.length / 8) }, (_, byte) => {
    const bits = stream.slice(byte * 8, byte * 8 + 8);
    return bits.reduce((sum, bit, i) => sum + (bit << (first === 'lowest' ? i : 7 - i)), 0);
  });
}

/** A minimum code size, and sub-blocks of so many bytes. */
function toGif(codes: readonly Code[], valueBits: number, blockBytes = 255): Uint8Array {
  const packed = pack(codes, 'lowest');
  const blocks = [];
  for (let at = 0; at < packed.length; at += blockBytes) {
    const block = packed.slice(at, at + blockBytes);
    blocks.push(block.length, ...block);
  }
  return Uint8Array.from([valueBits, ...blocks, 0]);
}

const dialects = [
  {
    name: 'GIF, 256 colours',
    valueBits: 8,
    early: 0,
    open: (codes: Code[]) => openGifLzw(toGif(codes, 8), 0),
  },
  {
    name: 'GIF, 4 colours',
    valueBits: 2,
    early: 0,
    open: (codes: Code[]) => openGifLzw(toGif(codes, 2, 7), 0),
  },
  {
    name: 'GIF, more than it allows',
    valueBits: 11,
    early: 0,
    open: (codes: Code[]) => openGifLzw(toGif(codes, 11), 0),
  },
  {
    name: 'TIFF',
    valueBits: 8,
    early: 1,
    open: (codes: Code[]) => new TiffLzwReader(Uint8Array.from(pack(codes, 'highest'))),
  },
  {
    name: 'TIFF before version 5',
    valueBits: 8,
    early: 0,
    open: (codes: Code[]) => new TiffLzwReader(Uint8Array.from(pack(codes, 'lowest'))),
  },
] as const;

/** Values of which half repeat what was there, so that strings grow. */
function someValues(count: number, below: number): number[] {
  const values: number[] = [];
  let state = 1;
  const random = (limit: number) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >> 8) % limit;
  };
  while (values.length < count) {
    if (values.length < 20 || random(3) === 0) values.push(random(below));
    else values.push(...values.slice(random(values.length - 9)).slice(0, 9));
  }
  return values.slice(0, count);
}

describe.each(dialects)('LZW of $name', (dialect) => {
  const { valueBits, open } = dialect;
  const clear = 1 << valueBits;
  const values = someValues(30_000, Math.min(256, clear));
  const read = (codes: Code[], count: number) => {
    const target = new Uint8Array(count);
    open(codes).read(target);
    return [...target];
  };

  it('is read through tables that fill and are cleared', () => {
    expect(read(compress(values, dialect), values.length)).toEqual(values);
  });

  it('is read on with a table that is full', () => {
    expect(read(compress(values, dialect, false), values.length)).toEqual(values);
  });

  it.each([1, 3, 1000])('is read %i values at a time', (step) => {
    const some = values.slice(0, 6000);
    const reader = open(compress(some, dialect));
    const target = new Uint8Array(step);
    for (let at = 0; at < some.length; at += step) {
      reader.read(target);
      expect([...target]).toEqual(some.slice(at, at + step));
    }
  });

  it('has codes that stand for what they complete themselves', () => {
    const run = new Array<number>(300).fill(1);
    expect(read(compress(run, dialect), 300)).toEqual(run);
  });

  it('may clear more than once, and anew', () => {
    const bits = valueBits + 1;
    const codes: Code[] = [
      [clear, bits],
      [clear, bits],
      [1, bits],
      [0, bits],
      [clear, bits],
      [1, bits],
      [0, bits],
    ];
    expect(read(codes, 4)).toEqual([1, 0, 1, 0]);
  });

  it.each<[string, number[], number, string]>([
    ['ends before the last value', [1, 0, clear + 1], 3, 'image_truncated'],
    ['ends without saying so', [1, 0], 200, 'image_truncated'],
    ['has a code two past its table', [1, clear + 3], 2, 'image_malformed'],
    ['has a code past its table at the beginning', [clear + 2], 1, 'image_malformed'],
  ])('is refused if it %s', (_, codes, count, code) => {
    const bits = valueBits + 1;
    if (codes.some((each) => each >= 1 << bits)) return;
    const coded = [clear, ...codes].map((each): Code => [each, bits]);
    expect(() => read(coded, count)).toThrow(expect.objectContaining({ code }));
  });
});

describe('TIFF strips', () => {
  const strip = (values: number[], early: 0 | 1) =>
    Uint8Array.from(pack(compress(values, { valueBits: 8, early }), early ? 'highest' : 'lowest'));

  it.each([0, 1] as const)('may follow one another, unfinished as they are (early: %i)', (early) => {
    const reader = new TiffLzwReader(strip([7, 7, 7, 7, 7, 8], early));
    reader.read(new Uint8Array(2));
    const next = strip([1, 2, 3, 1, 2, 3], early);
    expect(reader.fits(next)).toBe(true);
    expect(reader.fits(strip([1, 2], early ? 0 : 1))).toBe(false);
    reader.restart(next);
    const target = new Uint8Array(6);
    reader.read(target);
    expect([...target]).toEqual([1, 2, 3, 1, 2, 3]);
  });
});

describe('GIF data', () => {
  it.each([0, 12, 255])('is refused if its code size is %i', (size) => {
    expect(() => openGifLzw(Uint8Array.of(size, 0), 0)).toThrow(
      expect.objectContaining({
        code: 'image_malformed',
        message: expect.stringContaining(`an LZW code size of ${size}`),
      }),
    );
  });

  const whole = toGif(compress([0, 1, 2, 3, 2, 0, 3, 1], { valueBits: 2, early: 0 }), 2, 3);
  it('begins where it is said to', () => {
    const target = new Uint8Array(8);
    openGifLzw(Uint8Array.of(9, 9, ...whole), 2).read(target);
    expect([...target]).toEqual([0, 1, 2, 3, 2, 0, 3, 1]);
  });

  it.each([1, 2, 3, 4, 5, 6])('cut to %i bytes is truncated', (length) => {
    const reader = openGifLzw(whole.subarray(0, length), 0);
    expect(() => reader.read(new Uint8Array(8))).toThrow(
      expect.objectContaining({ code: 'image_truncated' }),
    );
  });
});
