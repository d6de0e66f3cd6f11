import { CodedError } from '../errors.ts';
import type { Transcode } from './classify.ts';

/**
 * No side of the transcoded JPEG is longer. Twice the largest resize target in use (256): the
 * resampler still averages, and the JPEG costs a few milliseconds to decode.
 */
const maxSide = 1024;

/** Transcoding by the Cloudflare Images binding: formats that are left out, and what is over this isolate's limits. */
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
        // SVG alone has no size, and is no picture for us.
        ...('width' in info && { original: { width: info.width, height: info.height } }),
      };
    } catch (cause) {
      throw new CodedError('image_format_unsupported', 'The image could not be transcoded.', { cause });
    }
  };
}
