import sharp from 'sharp';
import type { TranscodedImage } from '../../classify/classify.ts';
import { CodedError } from '../../errors.ts';
import { sniffImageFormat } from '../../image/probe.ts';
import { maxStreamedPixels } from '../../limits.ts';

/**
 * What the own decoders refuse (AVIF, and HEIF where libvips has a decoder for it), as a PNG of the same
 * pixels: they go through the own resampler like any other's. Not Pillow's decoder, so that the result
 * is marked approximate by `toModelInput`.
 *
 * @throws {CodedError} `image_malformed` of a broken AVIF, `image_too_many_pixels`, `image_format_unsupported`.
 */
export async function transcodeWithSharp(bytes: Uint8Array): Promise<TranscodedImage> {
  try {
    const png = await sharp(bytes, { limitInputPixels: maxStreamedPixels, failOn: 'error' })
      .autoOrient()
      .removeAlpha()
      .toColourspace('srgb')
      .png({ compressionLevel: 1 })
      .toBuffer();
    return { bytes: png };
  } catch (cause) {
    if (String(cause).includes('pixel limit')) {
      throw new CodedError('image_too_many_pixels', `More than ${maxStreamedPixels} pixels.`, { cause });
    }
    // sharp's builds decode every AVIF there is, and libheif says so where it does not.
    if (sniffImageFormat(bytes) === 'avif' && !String(cause).includes('Unsupported')) {
      throw new CodedError('image_malformed', 'The AVIF is malformed or ends early.', { cause });
    }
    throw new CodedError(
      'image_format_unsupported',
      'This image can be decoded neither here nor by libvips.',
      { cause },
    );
  }
}
