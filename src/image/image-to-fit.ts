import type { ImageWarning } from '../warnings.ts';
import type { ImageHeader } from './image.ts';
import { decodeResampled, fullSide, type ImageOptions } from './image-to-crop.ts';
import type { PreprocessSpec } from './preprocess-spec.ts';
import { toFitGeometry } from './resample/crop-geometry.ts';
import { createResampler } from './resample/crop-resampler.ts';

export interface FitBox {
  /** Pixels, at least 1. */
  readonly maxWidth: number;
  readonly maxHeight: number;
  /** Default: 'bilinear'. Either averages all pixels that one of the result covers, as Pillow's do. */
  readonly interpolation?: PreprocessSpec['interpolation'];
}

export interface FittedImage {
  readonly header: ImageHeader;
  /** Pixels of the result, upright. */
  readonly width: number;
  readonly height: number;
  /** RGB uint8, HWC: width x height x 3. */
  readonly rgb: Uint8Array;
  /** What is wrong with the file, though it is shown. */
  readonly warnings: readonly ImageWarning[];
}

/**
 * Image bytes to the whole picture, upright, made no larger than a box. The image never stands in memory whole.
 *
 * @param bytes the whole file; its format is recognised from its first bytes.
 * @throws {CodedError} with one of the `image_*` codes, whatever the bytes are.
 * @throws {RangeError} if a side of the box is not a whole number of at least 1.
 */
export async function decodeToFit(
  bytes: Uint8Array,
  { interpolation = 'bilinear', ...box }: FitBox,
  options: Omit<ImageOptions, 'fast'> = {},
): Promise<FittedImage> {
  for (const [name, side] of Object.entries(box)) {
    if (Number.isInteger(side) && side >= 1) continue;
    throw new RangeError(`${name} must be a whole number of at least 1, got: ${side}`);
  }
  let size = { width: 0, height: 0 };
  const { header, pixels, warnings } = await decodeResampled(bytes, options, (stored) => ({
    side: fullSide,
    createSink: (arena) =>
      createResampler(
        stored,
        (uprightWidth, uprightHeight) => {
          const geometry = toFitGeometry(uprightWidth, uprightHeight, box);
          size = { width: geometry.width, height: geometry.height };
          return geometry;
        },
        interpolation,
        1,
        arena,
      ),
  }));
  return { header, ...size, rgb: pixels, warnings };
}
