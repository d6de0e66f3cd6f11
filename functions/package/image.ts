/**
 * `resnet-edge/image`: the streaming decoders by themselves, for Workers that make small pictures of large ones. A photo
 * of 12 megapixels takes a few rows of memory, because no decoder but those of AVIF and lossless WebP holds the picture whole.
 *
 * @example
 * ```ts
 * const { width, height, rgb } = await decodeToFit(bytes, { maxWidth: 320, maxHeight: 320 });
 * ```
 */
import webpWasm from '@jsquash/webp/codec/dec/webp_dec.wasm';
import type { ImageHeader } from '../../src/image/image.ts';
import {
  type ImageOptions as AllImageOptions,
  decodeToCrop as decodeToCropWith,
  type ImageCrop,
} from '../../src/image/image-to-crop.ts';
import {
  decodeToFit as decodeToFitWith,
  type FitBox,
  type FittedImage,
} from '../../src/image/image-to-fit.ts';
import { PixelRoutines } from '../../src/image/pixel-arena.ts';
import pixelRoutines from '../../src/image/pixel-routines.wasm';
import type { PreprocessSpec } from '../../src/image/preprocess-spec.ts';
import { parseImageHeader } from '../../src/image/probe.ts';
import { phoneFormats } from '../phone-formats.ts';

export { CodedError, type ErrorCode } from '../../src/errors.ts';
export type { ImageFormat, Orientation } from '../../src/image/image.ts';
export type { ImageWarning } from '../../src/warnings.ts';
export type { FitBox, FittedImage, ImageCrop, ImageHeader };

export type ImageOptions = Pick<AllImageOptions, 'orientation' | 'fast' | 'strict'>;

/** How the crop is made; the default is what torchvision makes for ImageNet. */
export type CropSpec = Partial<Pick<PreprocessSpec, 'resizeShortestEdge' | 'centerCrop' | 'interpolation'>>;

const runtime = {
  loadWebpModule: () => webpWasm,
  ...phoneFormats,
  routines: new PixelRoutines(pixelRoutines),
};

/**
 * What a file's first bytes declare: its format, its size, how it is turned. Nothing is decoded.
 *
 * @throws {CodedError} with one of the `image_*` codes.
 */
export function readImageHeader(bytes: Uint8Array): ImageHeader {
  return parseImageHeader(bytes);
}

/**
 * The whole picture, upright, no larger than a box: RGB uint8, HWC, as Pillow's `resize` makes it.
 *
 * @throws {CodedError} with one of the `image_*` codes, whatever the bytes are.
 * @throws {RangeError} if a side of the box is not a whole number of at least 1.
 */
export async function decodeToFit(
  bytes: Uint8Array,
  box: FitBox,
  options: Omit<ImageOptions, 'fast'> = {},
): Promise<FittedImage> {
  return await decodeToFitWith(bytes, box, { ...options, ...runtime });
}

/**
 * The shorter side resized, a square cut from the centre: RGB uint8, HWC, byte for byte what torchvision's `Resize` and
 * `CenterCrop` make with Pillow.
 *
 * @throws {CodedError} with one of the `image_*` codes, whatever the bytes are.
 */
export async function decodeToCrop(
  bytes: Uint8Array,
  spec: CropSpec = {},
  options: ImageOptions = {},
): Promise<ImageCrop> {
  const { resizeShortestEdge = 256, centerCrop = 224, interpolation = 'bilinear' } = spec;
  const whole = { resizeShortestEdge, centerCrop, interpolation, ...pixelsAsTheyAre };
  return await decodeToCropWith(bytes, whole, { ...options, ...runtime });
}

/** The crop is not normalised. */
const pixelsAsTheyAre = { rescaleFactor: 1, mean: [0, 0, 0], std: [1, 1, 1] } as const;
