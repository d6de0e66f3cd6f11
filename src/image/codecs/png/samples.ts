import { colourType, type PngLayout } from './chunks.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** Which pixels of a row are converted, and where they go. */
export interface PixelRun {
  /** First pixel of the row, and one past the last. */
  readonly from: number;
  readonly to: number;
  /** Column of pixel `from` in the image, and the distance of each pixel to the next. */
  readonly column: number;
  readonly step: number;
}

/** @returns bits of one pixel, 1 to 64. */
export function bitsPerPixel({ bitDepth, colourType: type }: PngLayout): number {
  switch (type) {
    case colourType.rgb:
      return bitDepth * 3;
    case colourType.greyAlpha:
      return bitDepth * 2;
    case colourType.rgbAlpha:
      return bitDepth * 4;
    default:
      return bitDepth;
  }
}

/**
 * Converts unfiltered bytes to RGB as Pillow's `convert('RGB')` does: alpha and tRNS are dropped, the
 * palette is looked up (black behind its end), 16 bits are narrowed to the high byte. 16-bit grey alone is
 * clipped to 255 instead: a quirk that models trained with Pillow have seen too.
 *
 * @param palette 256 RGB triples.
 * @see Pillow src/PIL/PngImagePlugin.py, `_MODES`, and src/libImaging/Convert.c, `I16_RGB`
 */
export function toRgb(
  row: Uint8Array,
  layout: PngLayout,
  palette: Uint8Array,
  run: PixelRun,
  rgb: Uint8Array,
): void {
  const { bitDepth, colourType: type } = layout;
  const sampleBytes = bitDepth === 16 ? 2 : 1;
  switch (type) {
    case colourType.rgb:
      copyColour(row, 3 * sampleBytes, sampleBytes, run, rgb);
      return;
    case colourType.rgbAlpha:
      copyColour(row, 4 * sampleBytes, sampleBytes, run, rgb);
      return;
    case colourType.greyAlpha:
      copyGrey(row, 2 * sampleBytes, run, rgb);
      return;
    case colourType.palette:
      lookUp(row, bitDepth, palette, run, rgb);
      return;
    default:
      if (bitDepth === 16) clipGrey16(row, run, rgb);
      else if (bitDepth === 8) copyGrey(row, 1, run, rgb);
      else lookUp(row, bitDepth, greyRamps[bitDepth]!, run, rgb);
  }
}

/** The palette with its missing entries in black, also one that is cut. */
export function toFullPalette(palette: Uint8Array): Uint8Array {
  const full = new Uint8Array(256 * 3);
  const wholeBytes = palette.length - (palette.length % 3);
  full.set(palette.subarray(0, Math.min(wholeBytes, full.length)));
  return full;
}

/** Palettes that spread the values of 1, 2 and 4 bits evenly over 0 to 255. */
const greyRamps: Readonly<Record<number, Uint8Array>> = { 1: greyRamp(1), 2: greyRamp(2), 4: greyRamp(4) };

function greyRamp(bits: number): Uint8Array {
  const largest = (1 << bits) - 1;
  return Uint8Array.from({ length: (largest + 1) * 3 }, (_, i) => Math.floor(i / 3) * (255 / largest));
}

function copyColour(
  row: Uint8Array,
  pixelBytes: number,
  sampleBytes: number,
  run: PixelRun,
  rgb: Uint8Array,
): void {
  const step = run.step * 3;
  const end = run.to * pixelBytes;
  let to = run.column * 3;
  for (let from = run.from * pixelBytes; from < end; from += pixelBytes, to += step) {
    rgb[to] = row[from]!;
    rgb[to + 1] = row[from + sampleBytes]!;
    rgb[to + 2] = row[from + 2 * sampleBytes]!;
  }
}

function copyGrey(row: Uint8Array, pixelBytes: number, run: PixelRun, rgb: Uint8Array): void {
  const step = run.step * 3;
  let to = run.column * 3;
  for (let x = run.from; x < run.to; x++, to += step) {
    const grey = row[x * pixelBytes]!;
    rgb[to] = grey;
    rgb[to + 1] = grey;
    rgb[to + 2] = grey;
  }
}

function clipGrey16(row: Uint8Array, run: PixelRun, rgb: Uint8Array): void {
  const step = run.step * 3;
  let to = run.column * 3;
  for (let x = run.from; x < run.to; x++, to += step) {
    const grey = row[x * 2] === 0 ? row[x * 2 + 1]! : 255;
    rgb[to] = grey;
    rgb[to + 1] = grey;
    rgb[to + 2] = grey;
  }
}

/** Samples of 1, 2, 4 or 8 bits, the leftmost in the high bits. @see PNG third edition, 7.2 */
function lookUp(row: Uint8Array, bits: number, palette: Uint8Array, run: PixelRun, rgb: Uint8Array): void {
  const mask = (1 << bits) - 1;
  const step = run.step * 3;
  let to = run.column * 3;
  for (let x = run.from; x < run.to; x++, to += step) {
    const bit = x * bits;
    const entry = ((row[bit >> 3]! >> (8 - bits - (bit & 7))) & mask) * 3;
    rgb[to] = palette[entry]!;
    rgb[to + 1] = palette[entry + 1]!;
    rgb[to + 2] = palette[entry + 2]!;
  }
}
