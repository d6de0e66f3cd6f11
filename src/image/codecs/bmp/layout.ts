import { malformed, truncated, unsupported } from '../../image-error.ts';

/** Values of `compression`. @see MS-WMF 2.1.1.7 Compression enumeration */
export const bmpCompression = { none: 0, rle8: 1, rle4: 2, bitFields: 3, alphaBitFields: 6 } as const;

const fileHeaderBytes = 14;
const coreHeaderBytes = 12;
const infoHeaderBytes = 40;
/** From BITMAPV2INFOHEADER on, the colour masks are part of the header. */
const v2HeaderBytes = 52;
/** Bits of a pixel. */
const depths = [1, 4, 8, 16, 24, 32];

/** What the headers of a BMP declare. @see MS-WMF 2.2.2 (BitmapCoreHeader, BitmapInfoHeader ...) */
export interface BmpLayout {
  readonly width: number;
  readonly height: number;
  /** True if the first stored row is the top one; usually it is the bottom one. */
  readonly topDown: boolean;
  readonly bitsPerPixel: number;
  readonly compression: number;
  /** Red, green and blue bits of a pixel of 16 bits or more. */
  readonly masks: readonly [number, number, number];
  /** Colours as stored (blue, green, red, and perhaps a padding byte), for up to 8 bits per pixel. */
  readonly palette: Uint8Array;
  readonly bytesPerColour: 3 | 4;
  readonly pixelStart: number;
}

/** Header lengths of the bitmaps that are known to come without a file header. */
const dibHeaderLengths = [12, 40, 52, 56, 64, 108, 124];

/**
 * True for a device-independent bitmap that begins with its header: a BMP without the file header, as it lies on a
 * clipboard. The few bytes that tell it are checked together with the bits of a pixel.
 *
 * @see Pillow src/PIL/BmpImagePlugin.py, `DibImageFile`
 */
export function isBareBitmap(bytes: Uint8Array): boolean {
  if (bytes.length < coreHeaderBytes) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = view.getUint32(0, true);
  if (!dibHeaderLengths.includes(headerLength) || headerLength > bytes.length) return false;
  return depths.includes(view.getUint16(headerLength === coreHeaderBytes ? 10 : 14, true));
}

/**
 * @param bytes a file that begins with "BM", or a bare bitmap.
 * @throws {CodedError} `image_malformed`, `image_truncated`, `image_format_unsupported`.
 */
export function parseBmpLayout(bytes: Uint8Array): BmpLayout {
  const headerStart = bytes[0] === 0x42 && bytes[1] === 0x4d ? fileHeaderBytes : 0;
  if (bytes.length < headerStart + coreHeaderBytes) throw truncated('bmp', 'inside its header');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const declaredStart = headerStart === 0 ? 0 : view.getUint32(10, true);
  const headerLength = view.getUint32(headerStart, true);
  if (headerLength !== coreHeaderBytes && (headerLength < infoHeaderBytes || headerLength > 1024)) {
    throw malformed('bmp', `a header of ${headerLength} bytes`);
  }
  const headerEnd = headerStart + headerLength;
  if (headerEnd > bytes.length) throw truncated('bmp', 'inside its header');

  const isCore = headerLength === coreHeaderBytes;
  const width = isCore ? view.getUint16(headerStart + 4, true) : view.getInt32(headerStart + 4, true);
  const signedHeight = isCore ? view.getUint16(headerStart + 6, true) : view.getInt32(headerStart + 8, true);
  const bitsPerPixel = view.getUint16(headerStart + (isCore ? 10 : 14), true);
  const compression = isCore ? bmpCompression.none : view.getUint32(headerStart + 16, true);
  const height = Math.abs(signedHeight);
  if (width <= 0 || height === 0) throw malformed('bmp', `it declares ${width} x ${signedHeight} pixels`);
  assertCompression(compression, bitsPerPixel);

  const hasMasks = compression === bmpCompression.bitFields || compression === bmpCompression.alphaBitFields;
  const masksBehindHeader = hasMasks && headerLength < v2HeaderBytes;
  const declaredMasks = hasMasks ? parseMasks(view, headerStart + infoHeaderBytes) : undefined;
  // All zero means what the format means without masks.
  const masks = declaredMasks?.some((mask) => mask !== 0) ? declaredMasks : defaultMasks(bitsPerPixel);

  const paletteStart = headerEnd + (masksBehindHeader ? 12 : 0);
  const bytesPerColour = isCore ? 3 : 4;
  const declaredColours = isCore ? 0 : view.getUint32(headerStart + 32, true);
  const possibleColours = bitsPerPixel <= 8 ? 1 << bitsPerPixel : 0;
  // More colours than a pixel can name are stored all the same.
  const colours = possibleColours === 0 || declaredColours === 0 ? possibleColours : declaredColours;
  const paletteEnd = Math.min(paletteStart + colours * bytesPerColour, bytes.length);
  // Some writers name no place, or that of the palette.
  const isPlaceOfPixels = declaredStart !== 0 && !(declaredStart === headerEnd && bitsPerPixel <= 8);
  return {
    width,
    height,
    topDown: signedHeight < 0,
    bitsPerPixel,
    compression,
    masks,
    palette: bytes.subarray(paletteStart, paletteEnd),
    bytesPerColour,
    pixelStart: isPlaceOfPixels ? declaredStart : paletteEnd,
  };
}

function assertCompression(compression: number, bitsPerPixel: number): void {
  const fits =
    (compression === bmpCompression.none && depths.includes(bitsPerPixel)) ||
    (compression === bmpCompression.rle8 && bitsPerPixel === 8) ||
    (compression === bmpCompression.rle4 && bitsPerPixel === 4) ||
    ((compression === bmpCompression.bitFields || compression === bmpCompression.alphaBitFields) &&
      [16, 24, 32].includes(bitsPerPixel));
  if (!fits) throw unsupported('bmp', `compression ${compression} with ${bitsPerPixel} bits per pixel`);
}

function parseMasks(view: DataView, start: number): [number, number, number] {
  if (start + 12 > view.byteLength) throw truncated('bmp', 'inside its colour masks');
  return [view.getUint32(start, true), view.getUint32(start + 4, true), view.getUint32(start + 8, true)];
}

function defaultMasks(bitsPerPixel: number): [number, number, number] {
  return bitsPerPixel === 16 ? [0x7c00, 0x03e0, 0x001f] : [0xff0000, 0x00ff00, 0x0000ff];
}
