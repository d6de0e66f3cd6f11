import { CodedError } from '../errors.ts';
import { maxHeicPixels, maxImageSide, maxStreamedPixels } from '../limits.ts';
import { isBareBitmap } from './codecs/bmp/layout.ts';
import { parseBmpHeader } from './codecs/bmp/parse-bmp-header.ts';
import { parseGifHeader } from './codecs/gif/parse-gif-header.ts';
import { parseJpegHeader } from './codecs/jpeg/parse-jpeg-header.ts';
import { parsePngHeader } from './codecs/png/parse-png-header.ts';
import { parseTiffHeader } from './codecs/tiff/parse-tiff-header.ts';
import { parseWebpHeader } from './codecs/webp/parse-webp-header.ts';
import type { ImageFormat, ImageHeader } from './image.ts';
import { parseStillImageHeader } from './isobmff/parse-still-image.ts';

/** ISO base media brands (ISO/IEC 23000-22, 23008-12) of still images. The coded item says in the end which it is. */
const avifBrands = ['avif', 'avis'];
const heicBrands = ['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'hevm', 'hevs', 'mif1', 'msf1'];

/**
 * Recognises a format by the first bytes of the file; what the sender calls it plays no part.
 *
 * @returns undefined if no format we know begins like this.
 */
export function sniffImageFormat(bytes: Uint8Array): ImageFormat | undefined {
  if (startsWith(bytes, [0xff, 0xd8, 0xff])) return 'jpeg';
  if (startsWith(bytes, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])) return 'png';
  if (ascii(bytes, 0, 6) === 'GIF87a' || ascii(bytes, 0, 6) === 'GIF89a') return 'gif';
  if (ascii(bytes, 0, 4) === 'RIFF' && ascii(bytes, 8, 12) === 'WEBP') return 'webp';
  // 43 is BigTIFF's number: recognised, so that it can be refused by name.
  if (startsWith(bytes, [0x49, 0x49, 42, 0]) || startsWith(bytes, [0x49, 0x49, 43, 0])) return 'tiff';
  if (startsWith(bytes, [0x4d, 0x4d, 0, 42]) || startsWith(bytes, [0x4d, 0x4d, 0, 43])) return 'tiff';
  if (ascii(bytes, 4, 8) === 'ftyp') return sniffIsoBrand(bytes);
  if (ascii(bytes, 0, 2) === 'BM' || isBareBitmap(bytes)) return 'bmp';
  return undefined;
}

/**
 * Reads what a file declares about itself, without decoding a pixel or allocating in proportion to
 * what it declares.
 *
 * @param bytes the whole file.
 * @throws {CodedError} `image_format_unknown` or `image_format_unsupported`, `image_malformed` or
 *   `image_truncated` if the header is, `image_too_many_pixels` if the declared size is over the
 *   budgets of limits.ts.
 */
export function parseImageHeader(bytes: Uint8Array): ImageHeader {
  const format = sniffImageFormat(bytes);
  if (format === undefined) {
    throw new CodedError(
      'image_format_unknown',
      'These bytes begin like no image format known here. Send a JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP or TIFF.',
    );
  }
  const header = parseHeaderOf(format, bytes);
  assertSize(header);
  return header;
}

function parseHeaderOf(format: ImageFormat, bytes: Uint8Array): ImageHeader {
  switch (format) {
    case 'jpeg':
      return parseJpegHeader(bytes);
    case 'png':
      return parsePngHeader(bytes);
    case 'gif':
      return parseGifHeader(bytes);
    case 'bmp':
      return parseBmpHeader(bytes);
    case 'tiff':
      return parseTiffHeader(bytes);
    case 'webp':
      return parseWebpHeader(bytes);
    case 'avif':
    case 'heic':
      return parseStillImageHeader(bytes, format);
  }
}

function assertSize({ format, width, height }: ImageHeader): void {
  if (width > maxImageSide || height > maxImageSide) {
    throw new CodedError(
      'image_too_many_pixels',
      `The image declares ${width} x ${height} pixels; no side may be longer than ${maxImageSide}.`,
    );
  }
  const maxPixels = format === 'heic' ? maxHeicPixels : maxStreamedPixels;
  if (width * height > maxPixels) {
    throw new CodedError(
      'image_too_many_pixels',
      `The image declares ${width} x ${height} pixels; at most ${maxPixels} are decoded.`,
    );
  }
}

function sniffIsoBrand(bytes: Uint8Array): ImageFormat | undefined {
  const brand = ascii(bytes, 8, 12);
  if (avifBrands.includes(brand)) return 'avif';
  if (heicBrands.includes(brand)) {
    // A "mif1" file says only in its compatible brands which codec it carries.
    return ascii(bytes, 16, 64).includes('avif') ? 'avif' : 'heic';
  }
  return undefined;
}

function startsWith(bytes: Uint8Array, prefix: readonly number[]): boolean {
  return bytes.length >= prefix.length && prefix.every((value, i) => bytes[i] === value);
}

/** The bytes in [start, end) as Latin-1 text; shorter where the file ends. */
function ascii(bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(...bytes.subarray(start, end));
}
