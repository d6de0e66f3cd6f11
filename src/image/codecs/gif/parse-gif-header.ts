import type { ImageHeader } from '../../image.ts';
import { malformed, truncated } from '../../image-error.ts';
import { findFirstFrame } from './blocks.ts';

/**
 * The size is that of the logical screen, enlarged where the first frame reaches beyond it, as Pillow
 * shows it. GIF knows no orientation.
 *
 * @param bytes a file that begins with "GIF87a" or "GIF89a".
 * @throws {CodedError} `image_malformed`, `image_truncated`.
 * @see GIF89a specification, sections 18 and 20
 */
export function parseGifHeader(bytes: Uint8Array): ImageHeader {
  const { screenWidth, screenHeight, frame } = findFirstFrame(bytes);
  const width = Math.max(screenWidth, frame.left + frame.width);
  const height = Math.max(screenHeight, frame.top + frame.height);
  if (frame.width === 0 || frame.height === 0) {
    throw malformed('gif', `its first frame has ${frame.width} x ${frame.height} pixels`);
  }
  if (frame.dataStart >= bytes.length) throw truncated('gif', 'no image data');
  return { format: 'gif', width, height, orientation: 1 };
}
