import { maxJoinedExifBytes } from '../../../limits.ts';
import { parseExifOrientation, parseXmpOrientation } from '../../exif-orientation.ts';
import type { ImageHeader, Orientation } from '../../image.ts';
import { malformed, truncated } from '../../image-error.ts';
import { isStartOfFrame, marker, nextSegment, parseFrameSize } from './segments.ts';

const exifSignature = 'Exif\0\0';
const xmpSignature = 'http://ns.adobe.com/xap/1.0/\0';

/**
 * Walks the segments up to the first scan, which takes microseconds whatever the file's size. Metadata may stand before
 * or behind the frame header.
 *
 * @param bytes a file that begins with SOI.
 * @throws {CodedError} `image_malformed`, `image_truncated`; `image_format_unsupported` for arithmetic,
 *   lossless, hierarchical and 12-bit JPEGs.
 * @see ITU-T T.81 B.2 (order of markers) and CIPA DC-008 4.7.2 (Exif in APP1).
 */
export function parseJpegHeader(bytes: Uint8Array): ImageHeader {
  let position = 2;
  let size: { readonly width: number; readonly height: number } | undefined;
  const metadata = new JpegMetadata();
  for (;;) {
    const segment = nextSegment(bytes, position);
    if (segment === undefined) break;
    const { code, start, end } = segment;
    if (code === marker.startOfScan || code === marker.endOfImage) {
      if (size === undefined) throw malformed('jpeg', 'no frame header before the first scan');
      break;
    }
    if (isStartOfFrame(code)) size ??= parseFrameSize(bytes, segment);
    else if (code === marker.app1) metadata.add(bytes.subarray(start, end));
    position = end;
  }
  if (size === undefined) throw truncated('jpeg', 'no frame header');
  return { format: 'jpeg', ...size, orientation: metadata.findOrientation() };
}

/**
 * What APP1 segments say. All segments of Exif together are one block; only the last segment of XMP counts.
 *
 * @see Pillow src/PIL/JpegImagePlugin.py, `APP`
 */
class JpegMetadata {
  /** The block with the signature of its first segment; the signatures of later segments are left out. */
  #exif: Uint8Array | undefined;
  #exifBytes = 0;
  #xmp: Uint8Array | undefined;

  add(payload: Uint8Array): void {
    if (hasSignature(payload, xmpSignature)) this.#xmp = payload.subarray(xmpSignature.length);
    if (!hasSignature(payload, exifSignature)) return;
    if (this.#exif !== undefined) {
      this.#append(payload.subarray(exifSignature.length));
    } else {
      this.#exif = payload;
      this.#exifBytes = payload.length;
    }
  }

  /** Exif counts before XMP. */
  findOrientation(): Orientation {
    const exif = this.#exif?.subarray(0, this.#exifBytes);
    return (exif && parseExifOrientation(exif)) ?? (this.#xmp && parseXmpOrientation(this.#xmp)) ?? 1;
  }

  /** The block's buffer doubles when it is full, so that many small segments do not cost many copies. */
  #append(part: Uint8Array): void {
    const length = Math.min(this.#exifBytes + part.length, maxJoinedExifBytes);
    let block = this.#exif ?? new Uint8Array(0);
    if (length > block.length) {
      const larger = new Uint8Array(Math.min(length * 2, maxJoinedExifBytes));
      larger.set(block);
      block = larger;
    }
    block.set(part.subarray(0, length - this.#exifBytes), this.#exifBytes);
    this.#exif = block;
    this.#exifBytes = length;
  }
}

function hasSignature(payload: Uint8Array, signature: string): boolean {
  if (payload.length < signature.length) return false;
  for (let i = 0; i < signature.length; i++) {
    if (payload[i] !== signature.charCodeAt(i)) return false;
  }
  return true;
}
