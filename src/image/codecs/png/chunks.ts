import { malformed, truncated } from '../../image-error.ts';
import { crc32 } from './crc32.ts';
import { ChunkWalker, chunkHeaderBytes, chunkType, crcBytes } from './walk-chunks.ts';

/** Values of the IHDR fields. @see PNG third edition, table 12 (colour types) */
export const colourType = { grey: 0, rgb: 2, palette: 3, greyAlpha: 4, rgbAlpha: 6 } as const;

/** What a PNG declares. Nothing is inflated yet. */
export interface PngLayout {
  readonly width: number;
  readonly height: number;
  readonly bitDepth: number;
  readonly colourType: number;
  readonly interlaced: boolean;
  /** RGB triples; empty if there is none. */
  readonly palette: Uint8Array;
  /** Where the first chunk of pixel data begins; the file's end if there is none. */
  readonly dataStart: number;
}

const allowedBitDepths: Readonly<Record<number, readonly number[]>> = {
  [colourType.grey]: [1, 2, 4, 8, 16],
  [colourType.rgb]: [8, 16],
  [colourType.palette]: [1, 2, 4, 8],
  [colourType.greyAlpha]: [8, 16],
  [colourType.rgbAlpha]: [8, 16],
};

/** Bytes of IHDR; what a longer one holds besides is of no meaning. */
const headerBytes = 13;
const maxSide = 0x7fffffff;

/**
 * What IHDR declares, before anything else of the file is looked at.
 *
 * @param bytes a file that begins with the PNG signature.
 * @throws {CodedError} `image_malformed`, `image_truncated`.
 */
export function parsePngSize(bytes: Uint8Array): { readonly width: number; readonly height: number } {
  const walker = new ChunkWalker(bytes);
  while (walker.next() && walker.type !== chunkType.data) {
    if (walker.type !== chunkType.header) continue;
    if (walker.end + crcBytes > bytes.length) throw truncated('png', 'inside its header');
    return parseSize(bytes.subarray(walker.start, walker.end));
  }
  throw walker.type === chunkType.data ? malformed('png', 'it has no IHDR') : truncated('png', 'no IHDR');
}

/**
 * Reads IHDR and the palette, and compares their checksums; for those of the pixel data there is image-data.ts.
 * Ancillary chunks may stand anywhere, as Pillow has it, and are stepped over unread.
 *
 * @param bytes a file that begins with the PNG signature.
 * @throws {CodedError} `image_malformed`, `image_truncated`.
 * @see PNG third edition, 5.3 (chunk layout), 5.6 (ordering), 11.2 (critical chunks)
 */
export function parsePngLayout(bytes: Uint8Array): PngLayout {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let header: Uint8Array | undefined;
  let dataStart = bytes.length;
  let palette: Uint8Array = new Uint8Array(0);
  const walker = new ChunkWalker(bytes);
  while (walker.next()) {
    const { type, start, end } = walker;
    if (type === chunkType.data) dataStart = start - chunkHeaderBytes;
    if (type === chunkType.data || type === chunkType.end) break;
    if (type !== chunkType.header && type !== chunkType.palette) continue;
    if (end + crcBytes > bytes.length) throw truncated('png', 'inside its header');
    assertCrc(bytes, view, start, end);
    if (type === chunkType.palette) palette = bytes.subarray(start, end);
    else if (header !== undefined) throw malformed('png', 'IHDR comes twice');
    else header = bytes.subarray(start, end);
  }
  if (header === undefined) throw malformed('png', 'it has no IHDR');
  return { ...parseHeader(header, palette), palette, dataStart };
}

function parseSize(header: Uint8Array): { readonly width: number; readonly height: number } {
  if (header.length < headerBytes) throw malformed('png', 'its IHDR is too short');
  const view = new DataView(header.buffer, header.byteOffset);
  const width = view.getUint32(0);
  const height = view.getUint32(4);
  if (width === 0 || height === 0 || width > maxSide || height > maxSide) {
    throw malformed('png', `it declares ${width} x ${height} pixels`);
  }
  return { width, height };
}

function parseHeader(header: Uint8Array, palette: Uint8Array): Omit<PngLayout, 'palette' | 'dataStart'> {
  const { width, height } = parseSize(header);
  const [bitDepth = 0, colour = 0, compression, filter, interlace = 0] = header.subarray(8, headerBytes);
  if (!allowedBitDepths[colour]?.includes(bitDepth)) {
    throw malformed('png', `colour type ${colour} with ${bitDepth} bits`);
  }
  if (compression !== 0 || filter !== 0 || interlace > 1) {
    throw malformed('png', 'an unknown compression, filter or interlace method');
  }
  if (colour === colourType.palette && palette.length < 3) throw malformed('png', 'its palette is missing');
  return { width, height, bitDepth, colourType: colour, interlaced: interlace === 1 };
}

function assertCrc(bytes: Uint8Array, view: DataView, start: number, end: number): void {
  if (crc32(bytes, start - 4, end) !== view.getUint32(end)) {
    const letters = String.fromCharCode(...bytes.subarray(start - 4, start));
    throw malformed('png', `the checksum of its ${letters} is wrong`);
  }
}
