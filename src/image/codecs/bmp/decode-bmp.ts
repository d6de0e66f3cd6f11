import type { RowSink } from '../../image.ts';
import { malformed, truncated } from '../../image-error.ts';
import { type BmpLayout, bmpCompression, parseBmpLayout } from './layout.ts';
import { RleRows } from './rle.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/**
 * Decodes a BMP. Rows are looked up where they lie, so nothing but one row is held, whether the file
 * begins at the top or at the bottom; alpha is dropped.
 *
 * @throws {CodedError} `image_malformed`, `image_truncated`, `image_format_unsupported`.
 * @see MS-WMF 2.2.2.9 (DeviceIndependentBitmap); Pillow src/PIL/BmpImagePlugin.py
 */
export function decodeBmp(bytes: Uint8Array, sink: RowSink): void {
  const layout = parseBmpLayout(bytes);
  const { width, height, topDown, bitsPerPixel, compression, pixelStart } = layout;
  const isRle = compression === bmpCompression.rle8 || compression === bmpCompression.rle4;
  const rowBytes = Math.ceil((width * bitsPerPixel) / 32) * 4;
  if (!isRle) {
    // This is checked for any window. The padding of the last row may be missing.
    const end = pixelStart + (height - 1) * rowBytes + Math.ceil((width * bitsPerPixel) / 8);
    if (end > bytes.length) throw truncated('bmp', 'inside its pixels');
  }
  const rle = isRle ? new RleRows(bytes, layout) : undefined;
  const palette = toRgbPalette(layout);
  const { left, right, top, bottom } = sink.window;
  const rgb = new Uint8Array(right * 3);

  for (let y = top; y < bottom; y++) {
    const storedRow = topDown ? y : height - 1 - y;
    if (rle !== undefined) {
      lookUp(rle.readRow(storedRow), 8, palette, left, right, rgb);
    } else {
      const start = pixelStart + storedRow * rowBytes;
      const row = bytes.subarray(start, start + rowBytes);
      if (bitsPerPixel <= 8) lookUp(row, bitsPerPixel, palette, left, right, rgb);
      else if (bitsPerPixel === 24 && compression === bmpCompression.none) copyBgr(row, left, right, rgb);
      else unpackMasked(row, layout, left, right, rgb);
    }
    sink.writeRow(rgb, y);
  }
}

/** RGB triples for all 256 indices; black where the file has none. */
function toRgbPalette({ palette, bytesPerColour }: BmpLayout): Uint8Array {
  const rgb = new Uint8Array(256 * 3);
  const colours = Math.min(256, Math.floor(palette.length / bytesPerColour));
  for (let i = 0; i < colours; i++) {
    rgb[i * 3] = palette[i * bytesPerColour + 2]!;
    rgb[i * 3 + 1] = palette[i * bytesPerColour + 1]!;
    rgb[i * 3 + 2] = palette[i * bytesPerColour]!;
  }
  return rgb;
}

/** Indices of 1, 4 or 8 bits, the leftmost in the high bits. */
function lookUp(
  row: Uint8Array,
  bits: number,
  palette: Uint8Array,
  left: number,
  right: number,
  rgb: Uint8Array,
): void {
  const mask = (1 << bits) - 1;
  for (let x = left; x < right; x++) {
    const bit = x * bits;
    const entry = ((row[bit >> 3]! >> (8 - bits - (bit & 7))) & mask) * 3;
    rgb[x * 3] = palette[entry]!;
    rgb[x * 3 + 1] = palette[entry + 1]!;
    rgb[x * 3 + 2] = palette[entry + 2]!;
  }
}

function copyBgr(row: Uint8Array, left: number, right: number, rgb: Uint8Array): void {
  for (let x = left; x < right; x++) {
    const from = x * 3;
    rgb[x * 3] = row[from + 2]!;
    rgb[x * 3 + 1] = row[from + 1]!;
    rgb[x * 3 + 2] = row[from]!;
  }
}

/** Pixels of 16, 24 or 32 bits; each colour's bits are spread evenly over 0 to 255. */
function unpackMasked(
  row: Uint8Array,
  layout: BmpLayout,
  left: number,
  right: number,
  rgb: Uint8Array,
): void {
  const { bitsPerPixel, masks } = layout;
  const fields = masks.map((mask) => {
    if (mask === 0) throw malformed('bmp', 'an empty colour mask');
    const shift = 31 - Math.clz32(mask & -mask);
    return { shift, largest: mask >>> shift };
  });
  const pixelBytes = bitsPerPixel / 8;
  for (let x = left; x < right; x++) {
    const at = x * pixelBytes;
    let pixel = row[at]! | (row[at + 1]! << 8);
    if (pixelBytes > 2) pixel |= row[at + 2]! << 16;
    if (pixelBytes > 3) pixel |= row[at + 3]! << 24;
    for (let channel = 0; channel < 3; channel++) {
      const { shift, largest } = fields[channel]!;
      const value = ((pixel & masks[channel]!) >>> 0) >>> shift;
      rgb[x * 3 + channel] = largest === 255 ? value : Math.floor((value * 255) / largest);
    }
  }
}
