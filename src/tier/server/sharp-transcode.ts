import sharp from 'sharp';
import type { TranscodedImage } from '../../classify/classify.ts';
import { CodedError } from '../../errors.ts';
import { sniffImageFormat } from '../../image/probe.ts';
import { maxStreamedPixels } from '../../limits.ts';

/**
 * Turns a file that our decoders refuse (AVIF, and HEIF if libvips has a decoder for it) into a PNG of the same pixels,
 * which go through our resampler like any other's. The decoder is not Pillow's, so `toModelInput` marks the result as
 * approximate.
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
    // sharp's builds decode every valid AVIF, or libheif says that the file is unsupported.
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
