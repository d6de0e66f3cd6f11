/**
 * The arithmetic of int8 quantization, with the roundings of onnxruntime's quantize_static: scales in
 * single precision, values divided in single precision, ties to even.
 *
 * @see https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html
 */

/** A closed interval of real values. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** real = scale * (quantized - zeroPoint). */
export interface UInt8Parameters {
  readonly scale: number;
  /** 0 to 255. */
  readonly zeroPoint: number;
}

export interface QuantizedWeights {
  /** [channels, ...] as the source; -127 to 127. */
  readonly values: Int8Array;
  /** One per output channel, > 0; zero points are 0. */
  readonly scales: Float32Array;
  /** In units of input scale * weight scale. */
  readonly bias: Int32Array;
  /** input scale * weight scale, per channel. */
  readonly biasScales: Float32Array;
}

/** Smallest normal single: below it a scale would lose its digits. */
const smallestScale = 2 ** -126;

/**
 * Room for the accumulator beside its bias in 32 bits: 2^30 holds 255 * 127 over 33,000 products, more
 * than any ResNet's 4,608.
 */
const largestBias = 2 ** 30;

/** Beyond single precision's own 24 bits there is nothing left of a bias to keep. */
const biasOnlyResolution = 2 ** 24;

/** Ties to even, as numpy and ONNX's QuantizeLinear round. */
export function roundHalfEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/**
 * @param range widened to include 0, so that padding and ReLU's zero are exact.
 * @throws {RangeError} If a bound is not finite: an activation overflowed.
 */
export function toUInt8Parameters(range: Range): UInt8Parameters {
  const min = Math.min(range.min, 0);
  const max = Math.max(range.max, 0);
  if (!Number.isFinite(max - min))
    throw new RangeError(`range must be finite, got: [${range.min}, ${range.max}]`);
  const scale = (max - min) / 255;
  if (scale < smallestScale) return { scale: 1, zeroPoint: 0 };
  return { scale: Math.fround(scale), zeroPoint: roundHalfEven((0 - min) / scale) };
}

/**
 * Symmetric per channel; the largest weight of a channel becomes 127.
 *
 * @param weights [channels, ...], row-major.
 * @param bias one per channel.
 * @param inputScale of the activations these weights are multiplied with.
 */
export function quantizeWeights(
  weights: Float32Array,
  bias: Float32Array,
  inputScale: number,
): QuantizedWeights {
  const channels = bias.length;
  const perChannel = weights.length / channels;
  const values = new Int8Array(weights.length);
  const scales = new Float32Array(channels);
  const quantizedBias = new Int32Array(channels);
  const biasScales = new Float32Array(channels);
  for (let channel = 0; channel < channels; channel++) {
    const start = channel * perChannel;
    const end = start + perChannel;
    const channelBias = bias[channel]!;
    const scale = toWeightScale(weights, start, end, channelBias, inputScale);
    const biasScale = Math.fround(inputScale * scale);
    scales[channel] = scale;
    biasScales[channel] = biasScale;
    quantizedBias[channel] = roundHalfEven(Math.fround(channelBias / biasScale));
    for (let i = start; i < end; i++) {
      const quantized = roundHalfEven(Math.fround(weights[i]! / scale));
      values[i] = Math.max(-127, Math.min(127, quantized));
    }
  }
  return { values, scales, bias: quantizedBias, biasScales };
}

/** A channel of tiny weights under a large bias gets a coarser scale, so that the bias fits. */
function toWeightScale(
  weights: Float32Array,
  start: number,
  end: number,
  bias: number,
  inputScale: number,
): number {
  let largest = 0;
  for (let i = start; i < end; i++) largest = Math.max(largest, Math.abs(weights[i]!));
  // Channels that pruning or folding emptied still carry their bias.
  if (largest === 0 && bias === 0) return 1;
  const wanted = largest === 0 ? Math.abs(bias) / (inputScale * biasOnlyResolution) : largest / 127;
  const needed = Math.abs(bias) / (inputScale * largestBias);
  return Math.fround(Math.max(wanted, needed * (1 + 2 ** -20), smallestScale / Math.min(inputScale, 1)));
}
