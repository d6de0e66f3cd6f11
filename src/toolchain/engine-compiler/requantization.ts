import type { Quantization } from './qdq-reader.ts';

const f32 = Math.fround;

/**
 * The multiplier of each channel's integer sum: the input's scale times the weights' scale, divided by the result's scale.
 * It is rounded to float32 after each step, in this order, as in ONNX Runtime. Another order gives other bits.
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

/** The same for a mean of `count` values. */
export function toMeanMultiplier(inputScale: number, resultScale: number, count: number): number {
  return f32(f32(f32(inputScale) / f32(resultScale)) / count);
}

/** Centred range of a quantized result. A Relu that is still in the graph raises its lower end to zero. */
export function toClamp({ zeroPoint, relu }: Quantization & { readonly relu: boolean }): {
  low: number;
  high: number;
} {
  return { low: relu ? 0 : -zeroPoint, high: 255 - zeroPoint };
}
