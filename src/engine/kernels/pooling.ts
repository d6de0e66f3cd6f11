import { countUp, increase, set } from '../../lib/wasm-text/control.ts';
import { f32Locals, i32Locals, type V128, v128Locals } from '../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../lib/wasm-text/function.ts';
import { i32Add, i32Mul } from '../../lib/wasm-text/integers.ts';
import {
  f32x4ConvertI32x4S,
  f32x4Mul,
  f32x4Splat,
  i32x4Add,
  i32x4Splat,
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
const [kernelHeight, kernelWidth, strideY, strideX] = i32Locals(
  'kernelHeight',
  'kernelWidth',
  'strideY',
  'strideX',
);
/** Address of a pixel. Bytes from its first channel to the next eight. */
const [y, x, channelOffset] = i32Locals('y', 'x', 'channelOffset');
/** Place in the window. */
const [kernelY, kernelX] = i32Locals('kernelY', 'kernelX');
/** Addresses of an input, of the first input of its row, of an output; bytes of a pixel. */
const [input, row, output, pixelBytes] = i32Locals('input', 'row', 'output', 'pixelBytes');
const [best, value, sum0, sum1] = v128Locals('best', 'value', 'sum0', 'sum1');

/** Maximum over a window. The border of the input holds the smallest possible value. */
export function maxPool(activations: Activations) {
  const windowStart = i32Add(
    i32Add(source, channelOffset),
    i32Add(i32Mul(i32Mul(y, strideY), sourceRow), i32Mul(i32Mul(x, strideX), pixelBytes)),
  );
  const eightBytes = 8 * activations.bytes;
  const window = [
    set(row, windowStart),
    set(best, activations.load(row)),
    countUp(kernelY, kernelHeight, 1, [
      set(input, row),
      countUp(kernelX, kernelWidth, 1, [
        set(best, activations.max(best, activations.load(input))),
        increase(input, pixelBytes),
      ]),
      increase(row, sourceRow),
    ]),
    activations.storeLoaded(output, best),
    increase(output, eightBytes),
  ];
  return wasmFunction({
    name: 'max_pool',
    exported: true,
    params: [
      ...([source, target, height, width, channels, sourceRow, targetRow] as const),
      ...([kernelHeight, kernelWidth, strideY, strideX] as const),
    ],
    locals: [y, x, channelOffset, kernelY, kernelX, input, row, output, pixelBytes, best],
    body: [
      set(pixelBytes, i32Mul(channels, activations.bytes)),
      countUp(y, height, 1, [
        set(output, i32Add(target, i32Mul(y, targetRow))),
        countUp(x, width, 1, countUp(channelOffset, pixelBytes, eightBytes, window)),
      ]),
    ],
  });
}

const [multiplier, low, high] = f32Locals('multiplier', 'low', 'high');
const [start, zero] = i32Locals('start', 'zero');

/**
 * Mean over all pixels, requantized: the sum times one multiplier, as ORT's QLinearGlobalAveragePool.
 * `start` takes the zero points out of a sum of U8 values, `zero` is what is added after rounding.
 */
export function averagePool(activations: Activations) {
  const pixel = i32Mul(channels, activations.bytes);
  const mean = (sum: V128) => {
    const scaled = f32x4Mul(f32x4ConvertI32x4S(sum), f32x4Splat(multiplier));
    return i32x4Add(round(clamped(scaled, low, high)), i32x4Splat(zero));
  };
  return wasmFunction({
    name: 'global_average_pool',
    exported: true,
    params: [source, target, height, width, channels, sourceRow, multiplier, low, high, start, zero],
    locals: [y, x, channelOffset, row, input, sum0, sum1, value],
    body: countUp(channelOffset, pixel, 8 * activations.bytes, [
      set(sum0, i32x4Splat(start)),
      set(sum1, sum0),
      set(row, i32Add(source, channelOffset)),
      countUp(y, height, 1, [
        set(input, row),
        countUp(x, width, 1, [
          set(value, activations.load(input)),
          set(sum0, i32x4Add(sum0, activations.widenLow(value))),
          set(sum1, i32x4Add(sum1, activations.widenHigh(value))),
          increase(input, pixel),
        ]),
        increase(row, sourceRow),
      ]),
      activations.store(i32Add(target, channelOffset), mean(sum0), mean(sum1)),
    ]),
  });
}
