import { countUp, increase, set } from '../../../../lib/wasm-text/control.ts';
import { i32Locals, type V128, v128Locals } from '../../../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../../../lib/wasm-text/function.ts';
import { at, v128Load8x8U, v128Store } from '../../../../lib/wasm-text/memory.ts';
import {
  i8x16NarrowI16x8U,
  i8x16Shuffle,
  i16x8Add,
  i16x8Const,
  i16x8NarrowI32x4S,
  i16x8Q15mulrSatS,
  i16x8Sub,
  i32x4Add,
  i32x4Const,
  i32x4DotI16x8S,
  i32x4ShrS,
} from '../../../../lib/wasm-text/vectors.ts';
import { storeInterleaved } from '../../../wat/store-interleaved.ts';
import { blueFromCb, greenFromCb, greenFromCr, redFromCr } from '../colour.ts';

const [y, cb, cr, out, count, i] = i32Locals('y', 'cb', 'cr', 'out', 'count', 'i');
const [luma, blueDifference, redDifference] = v128Locals('luma', 'blue', 'red');
/** Values of the lower and the upper eight pixels; then all 16 in the lower. */
const reds = v128Locals('r0', 'r1');
const greens = v128Locals('g0', 'g1');
const blues = v128Locals('b0', 'b1');

/** Interleaves two chromas, each from -128 to 127, as operands of a dot product. */
const pairs = (half: 'low' | 'high', a: V128, b: V128) => {
  const from = half === 'low' ? 0 : 8;
  const bytes = [0, 2, 4, 6].flatMap((byte) => [
    from + byte,
    from + byte + 1,
    16 + from + byte,
    17 + from + byte,
  ]);
  return i8x16Shuffle(bytes, a, b);
};

/** `(a * x + b * y + 2^15) >> 16` of eight x and y. */
function scaledSum(x: V128, a: number, y: V128, b: number): V128 {
  const factors = i16x8Const([a, b, a, b, a, b, a, b]);
  const part = (which: 'low' | 'high') =>
    i32x4ShrS(i32x4Add(i32x4DotI16x8S(pairs(which, x, y), factors), i32x4Const(32_768)), 16);
  return i16x8NarrowI32x4S(part('low'), part('high'));
}

/** `(a * x + 2^15) >> 16` where `a` is about twice `half`: the same for each x from -128 to 127. */
const scaled = (x: V128, half: number) => i16x8Q15mulrSatS(x, i16x8Const(half));

const chroma = (samples: typeof cb, offset: number) =>
  i16x8Sub(v128Load8x8U(at(samples, offset)), i16x8Const(128));

/**
 * The inverse transform of T.871. A coefficient that does not fit in 16 bits is split into a multiple of `one` and a
 * rest; `scaled` takes half of the rest.
 */
const one = 1 << 16;
const redRest = Math.round((redFromCr - one) / 2);
const greenRest = one - greenFromCr;
const blueRest = (blueFromCb - 2 * one) / 2;

const eightPixels = (half: 0 | 1) => [
  set(luma, v128Load8x8U(at(y, half * 8))),
  set(blueDifference, chroma(cb, half * 8)),
  set(redDifference, chroma(cr, half * 8)),
  set(reds[half], i16x8Add(i16x8Add(luma, redDifference), scaled(redDifference, redRest))),
  set(
    greens[half],
    i16x8Add(
      i16x8Sub(luma, redDifference),
      scaledSum(blueDifference, -greenFromCb, redDifference, greenRest),
    ),
  ),
  set(
    blues[half],
    i16x8Add(i16x8Add(luma, i16x8Add(blueDifference, blueDifference)), scaled(blueDifference, blueRest)),
  ),
];

const sixteenPixels = [
  eightPixels(0),
  eightPixels(1),
  [reds, greens, blues].map(([low, high]) => set(low, i8x16NarrowI16x8U(low, high))),
  [y, cb, cr].map((samples) => increase(samples, 16)),
];
const locals = [
  i,
  ...[luma, blueDifference, redDifference],
  ...[reds[0], greens[0], blues[0], reds[1], greens[1], blues[1]],
];

/**
 * Converts one row of Y, Cb and Cr to RGB, 16 pixels a step. Reads up to 15 bytes and writes up to 45 behind the last.
 *
 * @see libjpeg jdcolor.c, `ycc_rgb_convert`
 */
export const yccToRgb = wasmFunction({
  name: 'ycc_to_rgb',
  exported: true,
  hoistsConstants: true,
  params: [y, cb, cr, out, count],
  locals,
  body: countUp(i, count, 16, [
    sixteenPixels,
    storeInterleaved(out, reds[0], greens[0], blues[0]),
    increase(out, 48),
  ]),
});

const planes = i32Locals('red_out', 'green_out', 'blue_out');

/** The same, but writes a row for each colour, and up to 15 bytes behind the last of each. */
export const yccToPlanes = wasmFunction({
  name: 'ycc_to_planes',
  exported: true,
  hoistsConstants: true,
  params: [y, cb, cr, ...planes, count],
  locals,
  body: countUp(i, count, 16, [
    sixteenPixels,
    [reds, greens, blues].map(([low], colour) => v128Store(planes[colour]!, low)),
    planes.map((plane) => increase(plane, 16)),
  ]),
});
