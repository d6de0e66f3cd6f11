import type { Quantization } from './qdq-reader.ts';

const f32 = Math.fround;

/**
 * What an integer sum is multiplied with, for each channel: scale of the input times that of its weights, over that
 * of the result. Rounded to float32 after each step, in this order, as ONNX Runtime does: another order costs bits.
 *
 * @param scales of the weights: one for each channel, or one for all.
 * @param resultScale none if the result stays in float.
 */
export function toMultipliers(
  inputScale: number,
  scales: Float32Array,
  channels: number,
  resultScale: number | undefined,
): Float32Array {
  return Float32Array.from({ length: channels }, (_, channel) => {
    const product = f32(f32(inputScale) * scales[scales.length === 1 ? 0 : channel]!);
    return resultScale === undefined ? product : f32(product / f32(resultScale));
  });
}

/** The same of a sum of `count` values that becomes their mean. */
export function toMeanMultiplier(inputScale: number, resultScale: number, count: number): number {
  return f32(f32(f32(inputScale) / f32(resultScale)) / count);
}

/** Range of a quantized result, centred; a Relu that is still in the graph raises its lower end to zero. */
export function toClamp({ zeroPoint, relu }: Quantization & { readonly relu: boolean }): {
  low: number;
  high: number;
} {
  return { low: relu ? 0 : -zeroPoint, high: 255 - zeroPoint };
}
