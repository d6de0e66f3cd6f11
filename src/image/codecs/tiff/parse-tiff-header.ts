import { parseXmpOrientation, toOrientation } from '../../exif-orientation.ts';
import type { ImageHeader, Orientation } from '../../image.ts';
import { malformed } from '../../image-error.ts';
import { parseTiffDirectory } from './directory.ts';

/**
 * @param bytes a file that begins with "II*\0" or "MM\0*" (or BigTIFF's "+" for the asterisk).
 * @throws {CodedError} `image_malformed`, `image_truncated`, `image_format_unsupported`.
 * @see TIFF 6.0 section 8 (baseline fields)
 */
export function parseTiffHeader(bytes: Uint8Array): ImageHeader {
  const directory = parseTiffDirectory(bytes);
  const { width, height, xmp } = directory;
  if (width === 0 || height === 0) throw malformed('tiff', `it declares ${width} x ${height} pixels`);
  return {
    format: 'tiff',
    width,
    height,
    orientation: directory.orientation === undefined ? readXmp(xmp) : toOrientation(directory.orientation),
  };
}

function readXmp(packet: Uint8Array | undefined): Orientation {
  return (packet && parseXmpOrientation(packet)) ?? 1;
}
