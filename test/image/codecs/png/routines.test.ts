import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32 } from '../../../../src/image/codecs/png/crc32.ts';
import { toCrc32 } from '../../../../src/image/codecs/png/image-data.ts';
import { filterType, unfilterRow } from '../../../../src/image/codecs/png/unfilter.ts';
import { adler32 } from '../../../../src/image/inflate/adler32.ts';
import { fuzz } from '../../../fuzz.ts';
import { createRoutines } from '../../fixtures.ts';

const maxBytes = 20_000;
const arena = createRoutines().borrow()!;
const crc32ByRoutine = toCrc32(arena);
const [row, above, out] = [0, 1, 2].map(() => arena.allocate(maxBytes + 16)) as [number, number, number];

/** Bytes near to each other and to 0, where neighbours tie, as well as any. */
const anyBytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length, max: 255 }).chain((bytes) =>
    fc.constantFrom(
      bytes,
      bytes.map((byte) => byte & 3),
      bytes.map((byte) => (byte & 1) * 255),
    ),
  );

describe('filters are undone as the plain ones undo them', () => {
  const { routines } = arena;
  const filters = [
    {
      type: filterType.sub,
      run: (bytes: number, pixel: number) => routines.unfilter_sub(row, out, bytes, pixel),
    },
    { type: filterType.up, run: (bytes: number) => routines.unfilter_up(row, above, out, bytes) },
    {
      type: filterType.average,
      run: (bytes: number, pixel: number) => routines.unfilter_average(row, above, out, bytes, pixel),
    },
    {
      type: filterType.paeth,
      run: (bytes: number, pixel: number) => routines.unfilter_paeth(row, above, out, bytes, pixel),
    },
  ];
  it.each(filters)('type $type', ({ type, run }) => {
    const shape = fc.record({
      pixelBytes: fc.constantFrom(1, 2, 3, 4, 6, 8),
      pixels: fc.integer({ min: 1, max: 50 }),
    });
    const rows = shape.chain(({ pixelBytes, pixels }) =>
      fc.record({
        pixelBytes: fc.constant(pixelBytes),
        filtered: anyBytes(pixelBytes * pixels),
        previous: anyBytes(pixelBytes * pixels),
      }),
    );
    fc.assert(
      fc.property(rows, ({ pixelBytes, filtered, previous }) => {
        const expected = filtered.slice();
        unfilterRow(type, expected, previous, pixelBytes);
        arena.bytes.set(filtered, row);
        arena.bytes.set(previous, above);
        run(filtered.length, pixelBytes);
        expect(arena.bytes.slice(out, out + filtered.length)).toEqual(expected);
      }),
      fuzz(2000),
    );
  });
});

describe('checksums', () => {
  const bytes = fc.uint8Array({ maxLength: 300 });
  it("CRC-32 is zlib's, both ways, of parts one after the other", () => {
    fc.assert(
      fc.property(bytes, bytes, (first, second) => {
        const expected = zlibCrc32(second, zlibCrc32(first));
        expect(crc32(second, 0, second.length, crc32(first, 0, first.length))).toBe(expected);
        arena.bytes.set(first, row);
        arena.bytes.set(second, above);
        const half = crc32ByRoutine(arena.bytes, row, first.length, 0);
        expect(crc32ByRoutine(arena.bytes, above, second.length, half)).toBe(expected);
      }),
    );
  });
  it('Adler-32 of the routine is that of the plain sums, up to the largest there are', () => {
    const long = fc.record({
      length: fc.integer({ max: maxBytes, min: 0 }),
      value: fc.constantFrom(0, 1, 254, 255),
    });
    fc.assert(
      fc.property(long, bytes, fc.nat(0xffffffff), ({ length, value }, tail, previous) => {
        const start = (((previous >>> 16) % 65_521) << 16) | ((previous & 0xffff) % 65_521);
        arena.bytes.fill(value, row, row + length);
        arena.bytes.set(tail.subarray(0, maxBytes - length), row + length);
        const end = row + Math.min(maxBytes, length + tail.length);
        const sum = arena.routines.adler32(row, end - row, start) >>> 0;
        expect(sum).toBe(adler32(arena.bytes, row, end, start));
      }),
    );
  });
  it('Adler-32 of known texts', () => {
    const of = (text: string) => adler32(new TextEncoder().encode(text), 0, text.length);
    // RFC 1950 begins with 1; the other is Wikipedia's example, which zlib agrees with.
    expect(of('')).toBe(1);
    expect(of('Wikipedia')).toBe(0x11e60398);
  });
});
