import { countUp, increase, select, set } from '../../lib/wasm-text/control.ts';
import { f32Locals, i32Locals, type V128, v128Locals } from '../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../lib/wasm-text/function.ts';
import { i32Add, i32GtS, i32LtS, i32Mul, i32Sub } from '../../lib/wasm-text/integers.ts';
import {
  f32x4Add,
  f32x4Const,
  f32x4ConvertI32x4S,
  f32x4Div,
  f32x4Mul,
  f32x4Splat,
  i16x8Splat,
  i32x4ExtendHighI16x8S,
  i32x4ExtendLowI16x8S,
  i32x4Splat,
  i32x4Sub,
} from '../../lib/wasm-text/vectors.ts';
import type { Activations } from './activations.ts';
import { clamped } from './quantize-input.ts';
import { round } from './requantize.ts';

const [source, target, height, width, channels, sourceRow, targetRow] = i32Locals(
  'source',
  'target',
  'height',
  'width',
  'channels',
  'sourceRow',
  'targetRow',
);
const [kernelHeight, kernelWidth, strideY, strideX, padTop, padLeft] = i32Locals(
  'kernelHeight',
  'kernelWidth',
  'strideY',
  'strideX',
  'padTop',
  'padLeft',
);
/** Of the input. `sourceZero` is its zero point as it is stored, `base` what is taken off a rounded result. */
const [sourceHeight, sourceWidth, sourceZero, base] = i32Locals(
  'sourceHeight',
  'sourceWidth',
  'sourceZero',
  'base',
);
/** Of the input and of the result; the result's zero point and its range, quantized. */
const [scale, resultScale, zeroPoint, low, high] = f32Locals(
  'scale',
  'resultScale',
  'zeroPoint',
  'low',
  'high',
);
const [y, x, channelOffset, pixelBytes, output, row, input] = i32Locals(
  'y',
  'x',
  'channelOffset',
  'pixelBytes',
  'output',
  'row',
  'input',
);
/** The part of a window that lies on the input: where it begins, and how long it is. */
const [firstRow, rows, firstColumn, columns, kernelY, kernelX] = i32Locals(
  'firstRow',
  'rows',
  'firstColumn',
  'columns',
  'kernelY',
  'kernelX',
);
const [value, sum0, sum1, count] = v128Locals('value', 'sum0', 'sum1', 'count');

type Counter = typeof y;

/** Sets `first` and `length` to the part of a window along one axis that is on the input. */
const clip = (
  [first, length]: readonly [Counter, Counter],
  [place, stride, pad, kernel, size]: readonly [Counter, Counter, Counter, Counter, Counter],
) => [
  set(first, i32Sub(i32Mul(place, stride), pad)),
  set(length, i32Add(first, kernel)),
  set(length, select(size, length, i32GtS(length, size))),
  set(first, select(0, first, i32LtS(first, 0))),
  set(length, i32Sub(length, first)),
];

/**
 * Mean over a window, in float32 as ONNX Runtime's QLinearAveragePool computes it: values are dequantized and added in
 * the order of rows, divided by how many of the window's positions lie on the input, divided by the result's scale; the
 * zero point is added before the sum is rounded half to even.
 *
 * @see https://github.com/microsoft/onnxruntime/tree/main/onnxruntime/contrib_ops/cpu/quantization qlinear_pool.cc
 */
export function windowAveragePool(activations: Activations) {
  const eightBytes = 8 * activations.bytes;
  const add = (sum: typeof sum0, centred: V128) =>
    set(sum, f32x4Add(sum, f32x4Mul(f32x4ConvertI32x4S(centred), f32x4Splat(scale))));
  const finish = (sum: V128) => {
    const scaled = f32x4Div(f32x4Div(sum, count), f32x4Splat(resultScale));
    return i32x4Sub(round(clamped(f32x4Add(scaled, f32x4Splat(zeroPoint)), low, high)), i32x4Splat(base));
  };
  const windowStart = i32Add(
    i32Add(source, channelOffset),
    i32Add(i32Mul(firstRow, sourceRow), i32Mul(firstColumn, pixelBytes)),
  );
  const pixel = [
    clip([firstColumn, columns], [x, strideX, padLeft, kernelWidth, sourceWidth]),
    set(count, f32x4ConvertI32x4S(i32x4Splat(i32Mul(rows, columns)))),
    countUp(channelOffset, pixelBytes, eightBytes, [
      set(sum0, f32x4Const(0)),
      set(sum1, f32x4Const(0)),
      set(row, windowStart),
      countUp(kernelY, rows, 1, [
        set(input, row),
        countUp(kernelX, columns, 1, [
          set(value, activations.loadCentred(input, i16x8Splat(sourceZero))),
          add(sum0, i32x4ExtendLowI16x8S(value)),
          add(sum1, i32x4ExtendHighI16x8S(value)),
          increase(input, pixelBytes),
        ]),
        increase(row, sourceRow),
      ]),
      activations.store(output, finish(sum0), finish(sum1)),
      increase(output, eightBytes),
    ]),
  ];
  return wasmFunction({
    name: 'average_pool',
    exported: true,
    params: [
      ...([source, target, height, width, channels, sourceRow, targetRow] as const),
      ...([kernelHeight, kernelWidth, strideY, strideX, padTop, padLeft] as const),
      ...([sourceHeight, sourceWidth, sourceZero, base] as const),
      ...([scale, resultScale, zeroPoint, low, high] as const),
    ],
    locals: [
      ...[y, x, channelOffset, pixelBytes, output, row, input],
      ...[firstRow, rows, firstColumn, columns, kernelY, kernelX],
      ...[value, sum0, sum1, count],
    ],
    body: [
      set(pixelBytes, i32Mul(channels, activations.bytes)),
      countUp(y, height, 1, [
        clip([firstRow, rows], [y, strideY, padTop, kernelHeight, sourceHeight]),
        set(output, i32Add(target, i32Mul(y, targetRow))),
        countUp(x, width, 1, pixel),
      ]),
    ],
  });
}
