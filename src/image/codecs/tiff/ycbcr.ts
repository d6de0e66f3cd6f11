import type { TiffDirectory } from './directory.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** Converts one pixel of three 8-bit samples, Y, Cb and Cr or others, to RGB at `rgb[at]`. */
export type ThreeSamplesToRgb = (y: number, cb: number, cr: number, rgb: Uint8Array, at: number) => void;

const defaultLuma = [0.299, 0.587, 0.114] as const;
const defaultReference = [0, 255, 128, 255, 128, 255] as const;
const { fround } = Math;
/** Codes beyond it are clipped before they are multiplied. @see libtiff tif_color.c, `TIFFYCbCrToRGBInit` */
const maxCode = 128 * 32;

/**
 * The conversion of libtiff, with the luma coefficients and the reference codes that a file declares. It is computed in
 * floats of 32 bits, rounded to 1/65536, and looked up.
 *
 * @see TIFF 6.0 sections 20 and 21; libtiff tif_color.c, `TIFFYCbCrToRGBInit` and `TIFFYCbCrtoRGB`
 */
export function createDeclaredConversion({
  lumaCoefficients,
  referenceBlackWhite,
}: TiffDirectory): ThreeSamplesToRgb {
  const [red = 0, green = 0, blue = 0] = (lumaCoefficients.length === 3 ? lumaCoefficients : defaultLuma).map(
    fround,
  );
  const reference = (referenceBlackWhite.length === 6 ? referenceBlackWhite : defaultReference).map(fround);
  const fromRed = fround(2 - fround(2 * red));
  const fromBlue = fround(2 - fround(2 * blue));
  const redFactor = toFixed(fromRed);
  const blueFactor = toFixed(fromBlue);
  const greenFromRed = -toFixed(fround(fround(red * fromRed) / green));
  const greenFromBlue = -toFixed(fround(fround(blue * fromBlue) / green));

  const luma = new Int32Array(256);
  const redOfCr = new Int32Array(256);
  const blueOfCb = new Int32Array(256);
  const greenOfCr = new Int32Array(256);
  const greenOfCb = new Int32Array(256);
  const half = 1 << 15;
  for (let i = 0; i < 256; i++) {
    const cr = toCode(i - 128, fround(reference[4]! - 128), fround(reference[5]! - 128), 127);
    const cb = toCode(i - 128, fround(reference[2]! - 128), fround(reference[3]! - 128), 127);
    luma[i] = toCode(i, reference[0]!, reference[1]!, 255);
    redOfCr[i] = (Math.imul(redFactor, cr) + half) >> 16;
    blueOfCb[i] = (Math.imul(blueFactor, cb) + half) >> 16;
    greenOfCr[i] = Math.imul(greenFromRed, cr);
    greenOfCb[i] = Math.imul(greenFromBlue, cb) + half;
  }
  return (y, cb, cr, rgb, at) => {
    rgb[at] = clamp(luma[y]! + redOfCr[cr]!);
    rgb[at + 1] = clamp(luma[y]! + ((greenOfCb[cb]! + greenOfCr[cr]!) >> 16));
    rgb[at + 2] = clamp(luma[y]! + blueOfCb[cb]!);
  };
}

/** A factor of 0 to 2, x 65536; NaN is none. */
function toFixed(factor: number): number {
  return Math.trunc((factor >= 0 ? Math.min(factor, 2) : 0) * 65_536 + 0.5);
}

/** Stretches a code so that black becomes 0 and white `range`. */
function toCode(code: number, black: number, white: number, range: number): number {
  const span = white === black ? 1 : fround(white - black);
  const stretched = fround(fround((code - Math.trunc(black)) * range) / span);
  return Math.trunc(Math.max(-maxCode, Math.min(maxCode, stretched)));
}

/** Products with 1/64 precision; a half is added before the fraction is dropped, of negative ones too. */
function toProducts(factor: number): Int16Array {
  return Int16Array.from({ length: 256 }, (_, i) => Math.trunc(factor * 64 * (i - 128) + 0.5));
}
const pillowRedOfCr = toProducts(1.402);
const pillowGreenOfCb = toProducts(-0.34414);
const pillowGreenOfCr = toProducts(-0.71414);
const pillowBlueOfCb = toProducts(1.772);

/**
 * The conversion of Pillow, for samples that are not compressed: it does not ask the file.
 *
 * @see Pillow src/libImaging/ConvertYCbCr.c, `ImagingConvertYCbCr2RGB`
 */
export const convertLikePillow: ThreeSamplesToRgb = (y, cb, cr, rgb, at) => {
  rgb[at] = clamp(y + (pillowRedOfCr[cr]! >> 6));
  rgb[at + 1] = clamp(y + ((pillowGreenOfCb[cb]! + pillowGreenOfCr[cr]!) >> 6));
  rgb[at + 2] = clamp(y + (pillowBlueOfCb[cb]! >> 6));
};

function clamp(value: number): number {
  return Math.max(0, Math.min(255, value));
}
