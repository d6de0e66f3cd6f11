import type { ImageHeader } from '../../image.ts';
import { parseBmpLayout } from './layout.ts';

/**
 * @param bytes a file that begins with "BM", or a bitmap without a file header.
 * @throws {CodedError} `image_malformed`, `image_truncated`, `image_format_unsupported`.
 * @see MS-WMF 2.2.2.3 (BitmapInfoHeader)
 */
export function parseBmpHeader(bytes: Uint8Array): ImageHeader {
  const { width, height } = parseBmpLayout(bytes);
  return { format: 'bmp', width, height, orientation: 1 };
}
