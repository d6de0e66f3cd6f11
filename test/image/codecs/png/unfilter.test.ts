import fc from 'fast-check';
import { expect, it } from 'vitest';
import { unfilterRow } from '../../../../src/image/codecs/png/unfilter.ts';
import { fuzz } from '../../../fuzz.ts';

/** As PNG 9.2 and 9.4 define it, sample by sample: what is outside is zero. */
function unfilterByDefinition(filter: number, row: Uint8Array, previous: Uint8Array, pixelBytes: number) {
  const original = new Uint8Array(row.length);
  for (let x = 0; x < row.length; x++) {
    const a = x >= pixelBytes ? original[x - pixelBytes]! : 0;
    const b = previous[x]!;
    const c = x >= pixelBytes ? previous[x - pixelBytes]! : 0;
    const p = a + b - c;
    const [pa, pb, pc] = [Math.abs(p - a), Math.abs(p - b), Math.abs(p - c)];
    const paeth = pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
    original[x] = row[x]! + [0, a, b, Math.floor((a + b) / 2), paeth][filter]!;
  }
  return original;
}

it('a row is what the definition makes of it, whatever its filter and its pixels', () => {
  const bytes = fc.constantFrom(0, 1, 2, 127, 128, 254, 255);
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 4 }),
      fc.constantFrom(1, 2, 3, 4, 6, 8),
      fc.integer({ min: 1, max: 9 }),
      fc.array(fc.tuple(bytes, bytes), { minLength: 72, maxLength: 72 }),
      (filter, pixelBytes, pixels, values) => {
        const length = pixels * pixelBytes;
        const row = Uint8Array.from(values.slice(0, length), ([value]) => value);
        const previous = Uint8Array.from(values.slice(0, length), ([, value]) => value);
        const wanted = unfilterByDefinition(filter, row, previous, pixelBytes);
        unfilterRow(filter, row, previous, pixelBytes);
        expect(row).toEqual(wanted);
      },
    ),
    fuzz(1500),
  );
});
