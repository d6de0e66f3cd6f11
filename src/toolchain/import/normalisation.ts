import type { GraphPreprocessing } from './take-out-preprocessing.ts';

/** The part of a manifest's preprocessing that a graph may have inside. */
export interface Normalisation {
  /** 1/255. */
  readonly rescale_factor: number;
  /** Per channel, in the network's order. */
  readonly mean: [number, number, number];
  readonly std: [number, number, number];
  readonly channel_order: 'rgb' | 'bgr';
}

const rescale = 1 / 255;

/**
 * Expresses a graph's arithmetic on its pixels as mean and standard deviation of samples from 0 to 1.
 *
 * @param takesBytes whether the graph's input was UINT8, with values of 0 to 255.
 * @returns undefined if the graph does not change its input: then the caller must give the normalisation.
 */
export function toNormalisation(
  { affine, channelOrder }: GraphPreprocessing,
  takesBytes: boolean,
): Normalisation | undefined {
  if (!affine && !takesBytes) return undefined;
  const { scale, shift } = affine ?? { scale: [1, 1, 1], shift: [0, 0, 0] };
  const top = takesBytes || wantsBytes(scale, shift) ? 255 : 1;
  // value = scale * top * sample + shift, for a sample of 0 to 1.
  const std = toTriple((channel) => 1 / (scale[channel]! * top));
  const mean = toTriple((channel) => 0 - shift[channel]! * std[channel]!);
  return { rescale_factor: rescale, mean, std, channel_order: channelOrder };
}

/**
 * Whether the arithmetic is for values of 0 to 255 and not of 0 to 1: it divides by 50 or more, or subtracts a mean
 * above 1.
 */
function wantsBytes(scale: readonly number[], shift: readonly number[]): boolean {
  const largestMean = Math.max(...shift.map((value, channel) => -value / scale[channel]!));
  return largestMean > 2 || scale.every((value) => value <= 1 / 50);
}

function toTriple(of: (channel: number) => number): [number, number, number] {
  return [of(0), of(1), of(2)];
}
