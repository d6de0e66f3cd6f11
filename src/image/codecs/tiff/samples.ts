import { type TiffDirectory, tiffPhotometric } from './directory.ts';
import { clipWideGrey } from './wide-grey.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** ExtraSamples: the colours are multiplied with alpha. */
const associatedAlpha = 1;

/**
 * Converts the pixels [left, right) of one row to RGB as Pillow's `convert('RGB')` does: alpha is dropped, after
 * colours that were multiplied with it are divided by it; 16-bit colours are narrowed to the high byte, grey of more
 * than 8 bits is clipped to 255.
 *
 * @param directory `samplesPerPixel` of it are side by side in the row.
 * @see Pillow src/PIL/TiffImagePlugin.py, `OPEN_INFO`; src/libImaging/Convert.c
 */
export function toRgb(
  row: Uint8Array,
  directory: TiffDirectory,
  left: number,
  right: number,
  rgb: Uint8Array,
): void {
  const { photometric, samplesPerPixel, bitsPerSample } = directory;
  const bits = bitsPerSample[0]!;
  switch (photometric) {
    case tiffPhotometric.rgb:
      copyColour(row, directory, left, right, rgb);
      return;
    case tiffPhotometric.cmyk:
      convertCmyk(row, directory, left, right, rgb);
      return;
    case tiffPhotometric.palette:
      lookUp(row, bits, samplesPerPixel, directory.colourMap, left, right, rgb);
      return;
    default:
      if (bits > 8) clipWideGrey(row, directory, left, right, rgb);
      else
        spreadGrey(row, bits, samplesPerPixel, photometric === tiffPhotometric.whiteIsZero, left, right, rgb);
  }
}

function copyColour(
  row: Uint8Array,
  directory: TiffDirectory,
  left: number,
  right: number,
  rgb: Uint8Array,
): void {
  const { samplesPerPixel, bitsPerSample, littleEndian, extraSample } = directory;
  const sampleBytes = bitsPerSample[0]! / 8;
  const highByte = sampleBytes === 2 && littleEndian ? 1 : 0;
  const isMultiplied = samplesPerPixel >= 4 && extraSample === associatedAlpha;
  for (let x = left; x < right; x++) {
    const from = x * samplesPerPixel * sampleBytes + highByte;
    const alpha = isMultiplied ? row[from + 3 * sampleBytes]! : 255;
    for (let channel = 0; channel < 3; channel++) {
      const value = row[from + channel * sampleBytes]!;
      rgb[x * 3 + channel] = alpha === 255 ? value : divideByAlpha(value, alpha);
    }
  }
}

/** @see Pillow src/libImaging/Unpack.c, `unpackRGBa` and `unpackRGBa16L` */
function divideByAlpha(value: number, alpha: number): number {
  return alpha === 0 ? 0 : Math.min(255, Math.floor((value * 255) / alpha));
}

/** @see Pillow src/libImaging/Convert.c, `cmyk2rgb` */
function convertCmyk(
  row: Uint8Array,
  { samplesPerPixel, bitsPerSample, littleEndian }: TiffDirectory,
  left: number,
  right: number,
  rgb: Uint8Array,
): void {
  const sampleBytes = bitsPerSample[0]! / 8;
  const highByte = sampleBytes === 2 && littleEndian ? 1 : 0;
  for (let x = left; x < right; x++) {
    const from = x * samplesPerPixel * sampleBytes + highByte;
    const light = 255 - row[from + 3 * sampleBytes]!;
    for (let channel = 0; channel < 3; channel++) {
      const product = row[from + channel * sampleBytes]! * light + 128;
      rgb[x * 3 + channel] = light - (((product >> 8) + product) >> 8);
    }
  }
}

function lookUp(
  row: Uint8Array,
  bits: number,
  samplesPerPixel: number,
  colourMap: readonly number[],
  left: number,
  right: number,
  rgb: Uint8Array,
): void {
  const colours = 1 << bits;
  for (let x = left; x < right; x++) {
    const entry = sampleAt(row, bits, x * samplesPerPixel);
    for (let channel = 0; channel < 3; channel++)
      rgb[x * 3 + channel] = colourMap[channel * colours + entry]! >> 8;
  }
}

function spreadGrey(
  row: Uint8Array,
  bits: number,
  samplesPerPixel: number,
  inverted: boolean,
  left: number,
  right: number,
  rgb: Uint8Array,
): void {
  const factor = 255 / ((1 << bits) - 1);
  for (let x = left; x < right; x++) {
    const value = sampleAt(row, bits, x * samplesPerPixel) * factor;
    const grey = inverted ? 255 - value : value;
    rgb[x * 3] = grey;
    rgb[x * 3 + 1] = grey;
    rgb[x * 3 + 2] = grey;
  }
}

/** Samples of 1, 2, 4 or 8 bits, the leftmost in the high bits. */
function sampleAt(row: Uint8Array, bits: number, index: number): number {
  const bit = index * bits;
  return (row[bit >> 3]! >> (8 - bits - (bit & 7))) & ((1 << bits) - 1);
}
