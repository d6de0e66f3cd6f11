import { parseExifOrientation, parseXmpOrientation } from '../../exif-orientation.ts';
import type { ImageHeader, Orientation } from '../../image.ts';
import { malformed, truncated } from '../../image-error.ts';
import { isStartOfFrame, marker, nextSegment, parseFrameSize } from './segments.ts';

const exifSignature = 'Exif\0\0';
const xmpSignature = 'http://ns.adobe.com/xap/1.0/\0';

/**
 * Walks the segments up to the frame header: a matter of microseconds, whatever the file's size.
 *
 * @param bytes a file that begins with SOI.
 * @throws {CodedError} `image_malformed`, `image_truncated`; `image_format_unsupported` for arithmetic,
 *   lossless, hierarchical and 12-bit JPEGs.
 * @see ITU-T T.81 B.2 (order of markers) and CIPA DC-008 4.7.2 (Exif in APP1).
 */
export function parseJpegHeader(bytes: Uint8Array): ImageHeader {
  let position = 2;
  let fromExif: Orientation | undefined;
  let fromXmp: Orientation | undefined;
  for (;;) {
    const segment = nextSegment(bytes, position);
    if (segment === undefined) throw truncated('jpeg', 'no frame header');
    const { code, start, end } = segment;
    if (isStartOfFrame(code)) {
      const { width, height } = parseFrameSize(bytes, segment);
      return { format: 'jpeg', width, height, orientation: fromExif ?? fromXmp ?? 1 };
    }
    if (code === marker.startOfScan || code === marker.endOfImage) {
      throw malformed('jpeg', 'no frame header before the first scan');
    }
    if (code === marker.app1) {
      const payload = bytes.subarray(start, end);
      if (hasSignature(payload, exifSignature)) {
        fromExif ??= parseExifOrientation(payload.subarray(exifSignature.length));
      } else if (hasSignature(payload, xmpSignature)) {
        fromXmp ??= parseXmpOrientation(payload.subarray(xmpSignature.length));
      }
    }
    position = end;
  }
}

function hasSignature(payload: Uint8Array, signature: string): boolean {
  if (payload.length < signature.length) return false;
  for (let i = 0; i < signature.length; i++) {
    if (payload[i] !== signature.charCodeAt(i)) return false;
  }
  return true;
}
