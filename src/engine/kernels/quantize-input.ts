import { countUp, increase, select, set } from '../../lib/wasm-text/control.ts';
import { type F32, f32Locals, i32Locals, type V128, v128Locals } from '../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../lib/wasm-text/function.ts';
import { i32Add, i32LtS, i32Mul, i32Shl } from '../../lib/wasm-text/integers.ts';
import { at, v128Load, v128Store, v128Store32Lane, v128Store64Lane } from '../../lib/wasm-text/memory.ts';
import {
  f32x4Div,
  f32x4Pmax,
  f32x4Pmin,
  f32x4Splat,
  i8x16Shuffle,
  i16x8NarrowI32x4S,
  i32x4Add,
  i32x4Shl,
  i32x4Splat,
  v128Or,
} from '../../lib/wasm-text/vectors.ts';
import type { Activations } from './activations.ts';
import { round } from './requantize.ts';

const [source, target, height, width, targetRow] = i32Locals(
  'source',
  'target',
  'height',
  'width',
  'targetRow',
);
const [scale, low, high] = f32Locals('scale', 'low', 'high');
const [zero, y, x, last] = i32Locals('zero', 'y', 'x', 'last');
/** First of the four pixels that are next; bytes of a plane; where the pixels come from and go to. */
const [first, plane, input, output] = i32Locals('first', 'plane', 'input', 'output');
const [red, green, blue] = v128Locals('red', 'green', 'blue');

/** Clamps each lane to `least` and `most`; NaN becomes `least`. */
export const clamped = (value: V128, least: F32, most: F32) =>
  f32x4Pmin(f32x4Splat(most), f32x4Pmax(f32x4Splat(least), value));

/** Four pixels of three int32 channels each as NHWC. */
function storePixels({ bytes }: Activations) {
  const first4Of3 = [0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 0, 0, 0, 0];
  const first8 = [0, 1, 8, 9, 16, 17, 2, 3, 10, 11, 20, 21, 4, 5, 12, 13];
  const last4 = [24, 25, 6, 7, 14, 15, 28, 29, 0, 0, 0, 0, 0, 0, 0, 0];
  if (bytes === 1) {
    return [
      set(red, v128Or(red, v128Or(i32x4Shl(green, 8), i32x4Shl(blue, 16)))),
      set(red, i8x16Shuffle(first4Of3, red, red)),
      v128Store64Lane(0, output, red),
      v128Store32Lane(2, at(output, 8), red),
    ];
  }
  return [
    set(red, i16x8NarrowI32x4S(red, green)),
    v128Store(output, i8x16Shuffle(first8, red, blue)),
    v128Store64Lane(0, at(output, 16), i8x16Shuffle(last4, red, blue)),
  ];
}

/**
 * FP32 NCHW to activations, 3 channels each: divide by the scale, clamp, round half to
 * even, as ONNX's QuantizeLinear. `low` and `high` are 0 and 255 less the zero point; `zero` is what
 * is added after rounding. Four pixels at once; the last four of a row may overlap those before.
 */
export function quantizeInput(activations: Activations) {
  const planes = [input, i32Add(input, plane), i32Add(input, i32Mul(plane, 2))];
  const quantized = (address: (typeof planes)[number]) =>
    i32x4Add(round(clamped(f32x4Div(v128Load(address), f32x4Splat(scale)), low, high)), i32x4Splat(zero));
  return wasmFunction({
    name: 'quantize_input',
    exported: true,
    params: [source, target, height, width, targetRow, scale, low, high, zero],
    locals: [y, x, first, plane, input, output, last, red, green, blue],
    body: [
      set(plane, i32Shl(i32Mul(height, width), 2)),
      set(last, i32Add(width, -4)),
      countUp(y, height, 1, [
        countUp(x, width, 4, [
          set(first, select(x, last, i32LtS(x, last))),
          set(input, i32Add(source, i32Mul(first, 4))),
          set(output, i32Add(target, i32Mul(i32Mul(first, 3), activations.bytes))),
          [red, green, blue].map((channel, index) => set(channel, quantized(planes[index]!))),
          storePixels(activations),
        ]),
        increase(source, i32Mul(width, 4)),
        increase(target, targetRow),
      ]),
    ],
  });
}
