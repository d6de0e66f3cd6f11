import { CodedError } from '../errors.ts';
import type { Transcode } from './classify.ts';

/**
 * Longest side of the transcoded JPEG. It is much larger than the largest resize target in use (256), so the resampler
 * still averages, and the JPEG takes a few milliseconds to decode.
 */
const maxSide = 1024;

/** Transcodes by the Cloudflare Images binding: formats without a decoder here, and images over this isolate's limits. */
export function createCloudflareImagesTranscode(images: ImagesBinding): Transcode {
  return async (bytes) => {
    try {
      const info = await images.info(new Blob([bytes]).stream());
      const result = await images
        .input(new Blob([bytes]).stream())
        .transform({ width: maxSide, height: maxSide, fit: 'scale-down' })
        .output({ format: 'image/jpeg', quality: 95 });
      return {
        bytes: new Uint8Array(await result.response().arrayBuffer()),
        // Only SVG has no size, and SVG is not classified.
        ...('width' in info && { original: { width: info.width, height: info.height } }),
      };
    } catch (cause) {
      throw new CodedError('image_format_unsupported', 'The image could not be transcoded.', { cause });
    }
  };
}
