import { countUp, increase, set } from '../../../../../lib/wasm-text/control.ts';
import { type I32, i32Locals, type V128, v128Locals } from '../../../../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../../../../lib/wasm-text/function.ts';
import { at, v128Load, v128Load8x8U } from '../../../../../lib/wasm-text/memory.ts';
import {
  i8x16NarrowI16x8U,
  i16x8Add,
  i16x8AddSatS,
  i16x8Const,
  i16x8ExtendHighI8x16U,
  i16x8ExtendLowI8x16U,
  i16x8Mul,
  i16x8Shl,
  i16x8ShrS,
  i16x8ShrU,
  i16x8Sub,
  v128Or,
} from '../../../../../lib/wasm-text/vectors.ts';
import { storeInterleaved } from '../../../../wat/store-interleaved.ts';

const [luma, nearCb, farCb, nearCr, farCr, out, count, i] = i32Locals(
  'luma',
  'near_cb',
  'far_cb',
  'near_cr',
  'far_cr',
  'out',
  'count',
  'i',
);
/** Two neighbours of the near row and two of the far; their sum. */
const [near0, near1, far0, far1, sum] = v128Locals('near0', 'near1', 'far0', 'far1', 'sum');
const [y, cb, cr, red, green, blue] = v128Locals('y', 'cb', 'cr', 'red', 'green', 'blue');
const [scaledLuma, u, v] = v128Locals('scaled', 'u', 'v');
const channels = [red, green, blue] as const;
const high = v128Locals('red_high', 'green_high', 'blue_high');

/** 16 samples between those from `near` and `far` on, two for each pair of neighbours. */
const interpolate = (into: typeof cb, near: I32, far: I32) => {
  const output = (nearest: V128, other: V128, farther: V128) =>
    i16x8ShrU(i16x8Add(i16x8ShrU(i16x8Add(sum, i16x8Shl(i16x8Add(other, farther), 1)), 3), nearest), 1);
  return [
    set(near0, v128Load8x8U(near)),
    set(near1, v128Load8x8U(at(near, 1))),
    set(far0, v128Load8x8U(far)),
    set(far1, v128Load8x8U(at(far, 1))),
    set(sum, i16x8Add(i16x8Add(near0, near1), i16x8Add(i16x8Add(far0, far1), i16x8Const(8)))),
    set(into, v128Or(output(near0, near1, far0), i16x8Shl(output(near1, near0, far1), 8))),
  ];
};

/** `(factor * x) >> 8` of bytes: the product has 23 bits, but its upper part is a whole number. */
const scaled = (x: V128, factor: number) =>
  i16x8Add(i16x8Mul(x, i16x8Const(factor >> 8)), i16x8ShrU(i16x8Mul(x, i16x8Const(factor & 255)), 8));

/** Eight pixels of `y`, `cb` and `cr`, with 6 bits behind the point; see `writePixel` of upsample.ts. */
const convert = (extend: (a: V128) => V128, [r, g, b]: readonly (typeof red)[]) => [
  set(scaledLuma, scaled(extend(y), 19_077)),
  set(u, extend(cb)),
  set(v, extend(cr)),
  set(r!, i16x8ShrS(i16x8Sub(i16x8Add(scaledLuma, scaled(v, 26_149)), i16x8Const(14_234)), 6)),
  set(
    g!,
    i16x8ShrS(
      i16x8Add(i16x8Sub(i16x8Sub(scaledLuma, scaled(u, 6_419)), scaled(v, 13_320)), i16x8Const(8_708)),
      6,
    ),
  ),
  // The sum may have 16 bits and a sign; what saturates is white.
  set(b!, i16x8ShrS(i16x8AddSatS(scaledLuma, i16x8Sub(scaled(u, 33_050), i16x8Const(17_685))), 6)),
];

/**
 * Pixels of a row as RGB, 16 a step, of which `luma` and `out` name the first, an odd one: those between `count`
 * neighbours of chroma and the next. Reads up to 15 bytes and writes up to 42 behind the last.
 */
export const upsampleRgb = wasmFunction({
  name: 'vp8_upsample_rgb',
  exported: true,
  hoistsConstants: true,
  params: [luma, nearCb, farCb, nearCr, farCr, out, count],
  locals: [i, near0, near1, far0, far1, sum, y, cb, cr, scaledLuma, u, v, ...channels, ...high],
  body: countUp(i, count, 8, [
    interpolate(cb, nearCb, farCb),
    interpolate(cr, nearCr, farCr),
    set(y, v128Load(luma)),
    convert(i16x8ExtendLowI8x16U, channels),
    convert(i16x8ExtendHighI8x16U, high),
    channels.map((channel, at) => set(channel, i8x16NarrowI16x8U(channel, high[at]!))),
    storeInterleaved(out, red, green, blue),
    increase(luma, 16),
    [nearCb, farCb, nearCr, farCr].map((row) => increase(row, 8)),
    increase(out, 48),
  ]),
});
