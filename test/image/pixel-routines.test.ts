import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toPlanes, toRgb } from '../../src/image/codecs/jpeg/colour.ts';
import { idctIslow } from '../../src/image/codecs/jpeg/idct-islow.ts';
import { idct2, idct4, lastUsefulCoefficient } from '../../src/image/codecs/jpeg/idct-scaled.ts';
import { zigzag } from '../../src/image/codecs/jpeg/segments.ts';
import { fuzz } from '../fuzz.ts';
import { createRoutines } from './fixtures.ts';

const coefficient = fc.oneof(
  { weight: 6, arbitrary: fc.constant(0) },
  { weight: 3, arbitrary: fc.integer({ min: -2048, max: 2047 }) },
  fc.integer(),
);

/** Plain TypeScript is the reference; Pillow's bytes are its own (test/image/goldens.test.ts). */
describe('pixel routines', () => {
  it('transform every block as TypeScript does, also one that no encoder makes', () => {
    const arena = createRoutines().borrow()!;
    const stride = 24;
    const at = arena.allocate(512);
    const out = arena.allocate(stride * 8);
    const block = new Int16Array(arena.bytes.buffer, at, 64);
    const blocks = fc.array(coefficient, { minLength: 64, maxLength: 64 });
    fc.assert(
      fc.property(blocks, (coefficients) => {
        const expected = new Uint8ClampedArray(stride * 8);
        idctIslow(Int16Array.from(coefficients), expected, 0, stride);
        block.set(coefficients);
        arena.routines.idct_islow(at, out, stride);
        expect(arena.bytes.slice(out, out + stride * 8)).toEqual(new Uint8Array(expected));
        expect(block.every((value) => value === 0)).toBe(true);
      }),
      fuzz(3000),
    );
  });

  it.each([
    { side: 2, plain: idct2, routine: 'idct_2' },
    { side: 4, plain: idct4, routine: 'idct_4' },
  ] as const)(
    'reduce every block to $side x $side samples as TypeScript does',
    ({ side, plain, routine }) => {
      const arena = createRoutines().borrow()!;
      const stride = 24;
      const at = arena.allocate(256);
      const out = arena.allocate(stride * side);
      const block = new Int16Array(arena.bytes.buffer, at, 64);
      const kept = lastUsefulCoefficient[side]! + 1;
      fc.assert(
        fc.property(fc.array(coefficient, { minLength: kept, maxLength: kept }), (coefficients) => {
          for (const [k, value] of coefficients.entries()) block[zigzag[k]!] = value;
          const expected = new Uint8ClampedArray(stride * side);
          plain(block.slice(), expected, 0, stride);
          arena.routines[routine](at, out, stride);
          expect(arena.bytes.slice(out, out + stride * side)).toEqual(new Uint8Array(expected));
          expect(block.every((value) => value === 0)).toBe(true);
        }),
        fuzz(3000),
      );
    },
  );

  it('convert each of the 16.8 million colours as TypeScript does', () => {
    const arena = createRoutines().borrow()!;
    const all = 256;
    const margin = 16;
    const line = () => {
      const buffer = arena.allocateView(all + margin);
      return { samples: buffer, start: 0, buffer };
    };
    arena.reserve((all + margin) * 9);
    const lines = [line(), line(), line()] as const;
    const rgb = arena.allocateView((all + margin) * 3);
    const planes = { red: line().buffer, green: line().buffer, blue: line().buffer };
    const expected = new Uint8Array((all + margin) * 3);
    const apart = new Uint8Array(all * 3);
    lines[0].samples.set(Uint8Array.from({ length: all }, (_, i) => i));
    let differing = 0;
    for (let cb = 0; cb < 256; cb++) {
      lines[1].samples.fill(cb);
      for (let cr = 0; cr < 256; cr++) {
        lines[2].samples.fill(cr);
        toRgb('ycc', lines, 0, all, expected, undefined);
        toRgb('ycc', lines, 0, all, rgb, arena.routines);
        if (Buffer.compare(rgb.subarray(0, all * 3), expected.subarray(0, all * 3)) !== 0) differing++;
        toPlanes(lines, 0, all, planes, arena.routines);
        for (let x = 0; x < all; x++) {
          apart[x * 3] = planes.red[x]!;
          apart[x * 3 + 1] = planes.green[x]!;
          apart[x * 3 + 2] = planes.blue[x]!;
        }
        if (Buffer.compare(apart, expected.subarray(0, all * 3)) !== 0) differing++;
      }
    }
    expect(differing).toBe(0);
  });

  it('leave nothing of one image to the next, and serve one image at a time', () => {
    const routines = createRoutines();
    const arena = routines.borrow()!;
    expect(routines.borrow()).toBeUndefined();
    arena.allocateView(1000).fill(7);
    arena.release();
    expect(routines.borrow()!.allocateView(1000)).toEqual(new Uint8Array(1000));
  });
});
