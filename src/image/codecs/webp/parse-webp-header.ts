import { parseExifOrientation, parseXmpOrientation } from '../../exif-orientation.ts';
import type { ImageHeader } from '../../image.ts';
import { malformed, truncated } from '../../image-error.ts';
import { type RiffChunk, riffChunks } from './riff.ts';

/**
 * The size is that of the canvas: VP8X if there is one, else of the single image.
 *
 * @param bytes a file that begins with "RIFF....WEBP".
 * @throws {CodedError} `image_malformed`, `image_truncated`.
 * @see RFC 9649 section 2 (container) and 3.4 (VP8L header), RFC 6386 section 9.1 (VP8 frame header)
 */
export function parseWebpHeader(bytes: Uint8Array): ImageHeader {
  let size: { width: number; height: number } | undefined;
  let exif: Uint8Array | undefined;
  let xmp: Uint8Array | undefined;
  for (const chunk of riffChunks(bytes)) {
    if (size === undefined) size = parseSize(bytes, chunk);
    else if (chunk.type === 'EXIF') exif ??= bytes.subarray(chunk.start, chunk.end);
    else if (chunk.type === 'XMP ') xmp ??= bytes.subarray(chunk.start, chunk.end);
  }
  if (size === undefined) throw truncated('webp', 'no image chunk');
  if (size.width === 0 || size.height === 0) {
    throw malformed('webp', `it declares ${size.width} x ${size.height} pixels`);
  }
  const orientation = (exif && parseExifOrientation(exif)) ?? (xmp && parseXmpOrientation(xmp)) ?? 1;
  return { format: 'webp', ...size, orientation };
}

function parseSize(bytes: Uint8Array, chunk: RiffChunk): { width: number; height: number } {
  const { type, start } = chunk;
  if (start + (type === 'VP8L' ? 5 : 10) > bytes.length) throw truncated('webp', 'inside its first chunk');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (type) {
    case 'VP8X':
      return { width: uint24(bytes, start + 4) + 1, height: uint24(bytes, start + 7) + 1 };
    case 'VP8L': {
      if (bytes[start] !== 0x2f) throw malformed('webp', 'no VP8L signature');
      const bits = view.getUint32(start + 1, true);
      return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
    }
    case 'VP8 ':
      if (uint24(bytes, start + 3) !== 0x2a019d) throw malformed('webp', 'no VP8 start code');
      return {
        width: view.getUint16(start + 6, true) & 0x3fff,
        height: view.getUint16(start + 8, true) & 0x3fff,
      };
    default:
      throw malformed('webp', 'its first chunk is not an image');
  }
}

function uint24(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
}
