import { parseExifOrientation, parseXmpOrientation } from '../../exif-orientation.ts';
import type { ImageHeader, Orientation } from '../../image.ts';
import { malformed, truncated } from '../../image-error.ts';

const signatureBytes = 8;
const headerBytes = 13;
const crcBytes = 4;
const xmpKeyword = 'XML:com.adobe.xmp\0';

/**
 * Reads IHDR, then walks the chunk headers for an orientation, which may stand after the pixels.
 *
 * @param bytes a file that begins with the PNG signature.
 * @throws {CodedError} `image_malformed`, `image_truncated`.
 * @see PNG third edition, 11.2.1 IHDR and 11.3.4.5 eXIf
 */
export function parsePngHeader(bytes: Uint8Array): ImageHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < signatureBytes + 8 + headerBytes + crcBytes) throw truncated('png', 'no IHDR');
  if (view.getUint32(8) !== headerBytes || chunkType(bytes, 8) !== 'IHDR') {
    throw malformed('png', 'IHDR is not the first chunk');
  }
  const width = view.getUint32(16);
  const height = view.getUint32(20);
  if (width === 0 || height === 0 || width > 0x7fffffff || height > 0x7fffffff) {
    throw malformed('png', `it declares ${width} x ${height} pixels`);
  }
  return { format: 'png', width, height, orientation: findOrientation(bytes, view) };
}

function findOrientation(bytes: Uint8Array, view: DataView): Orientation {
  let fromExif: Orientation | undefined;
  let fromXmp: Orientation | undefined;
  let position = signatureBytes;
  while (position + 12 <= bytes.length) {
    const length = view.getUint32(position);
    // Compared by first letter before anything is built: a file may hold a million tiny chunks.
    if (bytes[position + 4] === 0x65 && chunkType(bytes, position) === 'eXIf') {
      fromExif = parseExifOrientation(bytes.subarray(position + 8, position + 8 + length));
    }
    if (bytes[position + 4] === 0x69 && fromXmp === undefined && chunkType(bytes, position) === 'iTXt') {
      fromXmp = findXmpOrientation(bytes.subarray(position + 8, position + 8 + length));
    }
    if (bytes[position + 4] === 0x49 && chunkType(bytes, position) === 'IEND') break;
    position += 12 + length;
  }
  return fromExif ?? fromXmp ?? 1;
}

/** Only an uncompressed packet is read: text of an unknown size is never inflated. */
function findXmpOrientation(data: Uint8Array): Orientation | undefined {
  if (data.length < xmpKeyword.length + 2) return undefined;
  for (let i = 0; i < xmpKeyword.length; i++) {
    if (data[i] !== xmpKeyword.charCodeAt(i)) return undefined;
  }
  const compressed = data[xmpKeyword.length] !== 0;
  return compressed ? undefined : parseXmpOrientation(data.subarray(xmpKeyword.length + 2));
}

function chunkType(bytes: Uint8Array, chunk: number): string {
  return String.fromCharCode(bytes[chunk + 4], bytes[chunk + 5], bytes[chunk + 6], bytes[chunk + 7]);
}
