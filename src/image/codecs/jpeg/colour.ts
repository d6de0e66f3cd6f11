import type { ColourRows } from '../../image.ts';
import type { PixelArena } from '../../pixel-arena.ts';
import type { ComponentLine } from './upsample.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/**
 * What the components of a JPEG mean. 'cmyk' and 'ycck' are inverted. Two occur only in TIFFs: 'ink' is CMYK that is not
 * inverted, and 'multiplied' is RGB that was multiplied with the alpha behind it.
 */
export type JpegColour = 'grey' | 'ycc' | 'rgb' | 'cmyk' | 'ycck' | 'ink' | 'multiplied';

const fixedBits = 16;
const half = 1 << (fixedBits - 1);
/** Coefficients of the inverse transform, x 2^16, rounded. @see ITU-T T.871 section 7 */
export const redFromCr = 91_881;
export const blueFromCb = 116_130;
export const greenFromCr = 46_802;
export const greenFromCb = 22_554;
/** What the level shift of 128 adds to each sum, plus one half for rounding. */
const redBias = half - 128 * redFromCr;
const greenBias = half + 128 * (greenFromCr + greenFromCb);
const blueBias = half - 128 * blueFromCb;

/**
 * Clamps by a look-up, as libjpeg does: there is no branch to mispredict where an image is over-exposed. Sums lie in
 * -227 to 481, indices are `rangeOffset` more.
 */
const rangeOffset = 384;
const rangeMask = 1023;
const rangeLimit = Uint8Array.from({ length: rangeMask + 1 }, (_, i) =>
  Math.max(0, Math.min(255, i - rangeOffset)),
);

/**
 * Tells the colour space from the markers, as libjpeg guesses.
 *
 * @param componentIds as in the frame header.
 * @param adobeTransform byte of the APP14 "Adobe" segment, if there is one.
 * @see libjpeg jdapimin.c, `default_decompress_parms`
 */
export function toColour(
  componentIds: readonly number[],
  isJfif: boolean,
  adobeTransform: number | undefined,
): JpegColour {
  if (componentIds.length === 1) return 'grey';
  if (componentIds.length === 4)
    return adobeTransform === undefined || adobeTransform === 0 ? 'cmyk' : 'ycck';
  if (isJfif) return 'ycc';
  if (adobeTransform !== undefined) return adobeTransform === 0 ? 'rgb' : 'ycc';
  const spellsRgb = componentIds[0] === 0x52 && componentIds[1] === 0x47 && componentIds[2] === 0x42;
  return spellsRgb ? 'rgb' : 'ycc';
}

/**
 * Converts the columns [left, right) of one row to RGB, as Pillow's `convert('RGB')` shows them.
 *
 * @param lines one full-size row of each component.
 * @param rgb HWC; pixel x goes to `rgb[x * 3]`. It has room for 15 pixels more.
 * @param routines given if lines and `rgb` are in their memory.
 */
export function toRgb(
  colour: JpegColour,
  lines: readonly ComponentLine[],
  left: number,
  right: number,
  rgb: Uint8Array,
  routines: PixelArena['routines'] | undefined,
): void {
  switch (colour) {
    case 'grey':
      greyToRgb(lines[0]!, left, right, rgb);
      return;
    case 'ycc':
      yccToRgb(lines[0]!, lines[1]!, lines[2]!, left, right, rgb, routines);
      return;
    case 'rgb':
      interleave(lines[0]!, lines[1]!, lines[2]!, left, right, rgb);
      return;
    case 'cmyk':
      interleave(lines[0]!, lines[1]!, lines[2]!, left, right, rgb);
      applyInvertedInk(lines[3]!, left, right, rgb, 0);
      return;
    case 'ink':
      interleave(lines[0]!, lines[1]!, lines[2]!, left, right, rgb);
      complement(left, right, rgb);
      applyInvertedInk(lines[3]!, left, right, rgb, 255);
      return;
    case 'multiplied':
      interleave(lines[0]!, lines[1]!, lines[2]!, left, right, rgb);
      divideByAlpha(lines[3]!, left, right, rgb);
      return;
    case 'ycck':
      // Y, Cb and Cr code the complement of C, M and Y. @see libjpeg jdcolor.c, `ycck_cmyk_convert`
      yccToRgb(lines[0]!, lines[1]!, lines[2]!, left, right, rgb, routines);
      complement(left, right, rgb);
      applyInvertedInk(lines[3]!, left, right, rgb, 0);
  }
}

/**
 * Like `toRgb` of 'ycc', but writes each colour to a row of its own.
 *
 * @param rows like `lines` in the routines' memory; they have room for 15 pixels more.
 */
export function toPlanes(
  lines: readonly ComponentLine[],
  left: number,
  right: number,
  { red, green, blue }: ColourRows,
  routines: PixelArena['routines'],
): void {
  const address = ({ samples, start }: ComponentLine) => samples.byteOffset + start + left;
  routines.ycc_to_planes(
    address(lines[0]!),
    address(lines[1]!),
    address(lines[2]!),
    red.byteOffset + left,
    green.byteOffset + left,
    blue.byteOffset + left,
    right - left,
  );
}

/**
 * Computes what libjpeg looks up in tables: the same numbers, without four bounds checks a pixel.
 *
 * @see libjpeg jdcolor.c, `ycc_rgb_convert`
 */
function yccToRgb(
  luma: ComponentLine,
  blueChroma: ComponentLine,
  redChroma: ComponentLine,
  left: number,
  right: number,
  rgb: Uint8Array,
  routines: PixelArena['routines'] | undefined,
): void {
  if (routines) {
    const address = ({ samples, start }: ComponentLine) => samples.byteOffset + start + left;
    const out = rgb.byteOffset + left * 3;
    routines.ycc_to_rgb(address(luma), address(blueChroma), address(redChroma), out, right - left);
    return;
  }
  const lumaSamples = luma.samples;
  const blueSamples = blueChroma.samples;
  const redSamples = redChroma.samples;
  const lumaStart = luma.start;
  const blueStart = blueChroma.start;
  const redStart = redChroma.start;
  let to = left * 3;
  for (let x = left; x < right; x++) {
    const y = lumaSamples[lumaStart + x]! + rangeOffset;
    const cb = blueSamples[blueStart + x]!;
    const cr = redSamples[redStart + x]!;
    rgb[to] = rangeLimit[(y + ((Math.imul(cr, redFromCr) + redBias) >> fixedBits)) & rangeMask]!;
    rgb[to + 1] =
      rangeLimit[
        (y + ((greenBias - Math.imul(cb, greenFromCb) - Math.imul(cr, greenFromCr)) >> fixedBits)) & rangeMask
      ]!;
    rgb[to + 2] = rangeLimit[(y + ((Math.imul(cb, blueFromCb) + blueBias) >> fixedBits)) & rangeMask]!;
    to += 3;
  }
}

function greyToRgb({ samples, start }: ComponentLine, left: number, right: number, rgb: Uint8Array): void {
  let to = left * 3;
  for (let x = left; x < right; x++, to += 3) {
    const grey = samples[start + x]!;
    rgb[to] = grey;
    rgb[to + 1] = grey;
    rgb[to + 2] = grey;
  }
}

function interleave(
  first: ComponentLine,
  second: ComponentLine,
  third: ComponentLine,
  left: number,
  right: number,
  rgb: Uint8Array,
): void {
  let to = left * 3;
  for (let x = left; x < right; x++, to += 3) {
    rgb[to] = first.samples[first.start + x]!;
    rgb[to + 1] = second.samples[second.start + x]!;
    rgb[to + 2] = third.samples[third.start + x]!;
  }
}

function complement(left: number, right: number, rgb: Uint8Array): void {
  for (let i = left * 3; i < right * 3; i++) rgb[i] = 255 - rgb[i]!;
}

/**
 * Makes RGB from the CMY in `rgb` and from black. All are stored inverted, as Adobe does and as Pillow assumes.
 *
 * @param inversion 255 if black is not stored inverted, else 0.

 * @see Pillow JpegImagePlugin ("CMYK;I") and src/libImaging/Convert.c, `cmyk2rgb`
 */
function applyInvertedInk(
  black: ComponentLine,
  left: number,
  right: number,
  rgb: Uint8Array,
  inversion: 0 | 255,
): void {
  for (let x = left; x < right; x++) {
    const light = black.samples[black.start + x]! ^ inversion;
    for (let i = x * 3; i < x * 3 + 3; i++) {
      // Pillow's MULDIV255: a rounded product of two fractions of 255.
      const product = (255 - rgb[i]!) * light + 128;
      rgb[i] = light - (((product >> 8) + product) >> 8);
    }
  }
}

/** @see Pillow src/libImaging/Unpack.c, `unpackRGBa` */
function divideByAlpha(
  { samples, start }: ComponentLine,
  left: number,
  right: number,
  rgb: Uint8Array,
): void {
  for (let x = left; x < right; x++) {
    const alpha = samples[start + x]!;
    for (let i = x * 3; i < x * 3 + 3; i++) {
      rgb[i] = alpha === 0 ? 0 : Math.min(255, Math.floor((rgb[i]! * 255) / alpha));
    }
  }
}
