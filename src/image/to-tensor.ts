import type { Fp32Tensor } from '../lib/tensor.ts';
import type { PreprocessSpec } from './preprocess-spec.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

const channels = 3;
const sampleValues = 256;

/**
 * Rescales, normalises and transposes in one pass. A sample has 256 values, so each channel's result is
 * looked up in a table computed in double precision: one rounding, to float32, per value.
 *
 * @param crop RGB uint8, HWC, length = centerCrop * centerCrop * 3.
 * @returns FP32 (1, 3, centerCrop, centerCrop), row-major, channels in the model's order:
 *   `(sample * rescaleFactor - mean) / std`.
 * @throws {RangeError} If the crop's length does not fit, or a `std` component is not > 0.
 * @see torchvision.transforms.functional, `to_tensor` and `normalize`
 */
export function toTensor(crop: Uint8Array, spec: PreprocessSpec): Fp32Tensor {
  const { centerCrop, rescaleFactor, mean, std, channelOrder } = spec;
  const plane = centerCrop * centerCrop;
  if (crop.length !== plane * channels) {
    throw new RangeError(`crop.length must be ${plane * channels}, got: ${crop.length}`);
  }
  const data = new Float32Array(plane * channels);
  const normalised = new Float32Array(sampleValues);
  for (let channel = 0; channel < channels; channel++) {
    if (!(std[channel]! > 0)) throw new RangeError(`std[${channel}] must be > 0, got: ${std[channel]}`);
    for (let sample = 0; sample < sampleValues; sample++) {
      normalised[sample] = (sample * rescaleFactor - mean[channel]!) / std[channel]!;
    }
    const to = channel * plane;
    const from = channelOrder === 'bgr' ? channels - 1 - channel : channel;
    for (let i = 0; i < plane; i++) data[to + i] = normalised[crop[i * channels + from]!]!;
  }
  return { datatype: 'FP32', shape: [1, channels, centerCrop, centerCrop], data };
}
