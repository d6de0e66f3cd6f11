/**
 * What the generated WebAssembly and the code that calls it agree on. Activations are int16, centred
 * (quantized value less its zero point), NHWC with physical channels a multiple of 8. Weights are
 * int8 in panels of 8 output channels.
 */

/** Output channels of a weight panel: two vectors of four int32 accumulators. */
export const panelChannels = 8;
/** Output pixels that share a pass over a weight panel. Six spill registers and halve the speed (measured). */
export const tilePixels = 5;
/** Elements of the inner loop: a segment's length is a multiple. */
export const segmentStep = 16;

/** Fixed scratch at the bottom of memory: pointers of the current tile, then its accumulators. */
export const scratch = {
  inputs: 0,
  outputs: 64,
  residuals: 128,
  accumulators: 256, // [tilePixels][2] v128
  zeros: 768, // never written
  end: 1024,
} as const;

/** Fields of a convolution's descriptor in memory, in order; each takes 4 bytes. */
const convFields = [
  'input', // first element read for output pixel (0, 0)
  'output', // first interior pixel
  'weights',
  'bias', // int32 [channels]
  'multiplier', // float32 [channels]
  'residual', // first interior pixel, or 0
  'height', // of the output
  'width',
  'channels', // physical, of the output
  'segments', // kernel rows
  'segmentLength', // elements: kernel width x input channels, rounded up to segmentStep
  'segmentSkip', // bytes from a segment's end to the next one's start
  'inputStepX', // bytes between the inputs of neighbouring output pixels
  'inputStepY',
  'outputStepX',
  'outputStepY',
  'residualStepX',
  'residualStepY',
  'low', // clamp of the convolution's own result, centred, as float32
  'high',
  'residualLow', // clamp after the addition, zero point included, as float32
  'residualHigh',
  'ownZeroPoint', // float32: zero points turn centred values back into what ORT multiplies
  'residualZeroPoint', // float32
  'sumZeroPoint', // int32
  'ownScale', // float32: own scale / sum scale
  'residualScale',
  'fixed', // float32: the constant part of the sum, as ORT rounds it
  'residualFirst', // 1 if the residual is ORT's first operand
  'inputChannels', // physical; Winograd only
  'inputRowBytes', // Winograd only
  'transformed', // Winograd: scratch for V
  'products', // Winograd: scratch for M
  'tileRows', // Winograd: rows of tiles per block
] as const;

export type ConvField = (typeof convFields)[number];
export const convDescriptorBytes = convFields.length * 4;
const offsets = new Map<string, number>(convFields.map((name, index) => [name, index * 4]));

/** @returns byte offset of a descriptor's field. */
export function fieldOffset(name: ConvField): number {
  return offsets.get(name)!;
}
