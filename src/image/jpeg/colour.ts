/** What the components of a JPEG mean. */
export type JpegColour = 'grey' | 'ycc' | 'rgb' | 'cmyk' | 'ycck';

const fixedBits = 16;
const half = 1 << (fixedBits - 1);
/** Coefficients of the inverse transform, x 2^16, rounded. @see ITU-T T.871 section 7 */
const redFromCr = toTable(91_881, half, fixedBits);
const blueFromCb = toTable(116_130, half, fixedBits);
/** Both parts of green are added before they are shifted; one of them carries the rounding. */
const greenFromCr = toTable(-46_802, 0, 0);
const greenFromCb = toTable(-22_554, half, 0);

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
 * @param rgb HWC; pixel x goes to `rgb[x * 3]`.
 */
export function toRgb(
  colour: JpegColour,
  lines: readonly Uint8ClampedArray[],
  left: number,
  right: number,
  rgb: Uint8ClampedArray,
): void {
  switch (colour) {
    case 'grey':
      greyToRgb(lines[0], left, right, rgb);
      return;
    case 'ycc':
      yccToRgb(lines[0], lines[1], lines[2], left, right, rgb);
      return;
    case 'rgb':
      interleave(lines[0], lines[1], lines[2], left, right, rgb);
      return;
    case 'cmyk':
      interleave(lines[0], lines[1], lines[2], left, right, rgb);
      applyInvertedInk(lines[3], left, right, rgb);
      return;
    case 'ycck':
      // Y, Cb and Cr code the complement of C, M and Y. @see libjpeg jdcolor.c, `ycck_cmyk_convert`
      yccToRgb(lines[0], lines[1], lines[2], left, right, rgb);
      complement(left, right, rgb);
      applyInvertedInk(lines[3], left, right, rgb);
  }
}

/** @see libjpeg jdcolor.c, `ycc_rgb_convert` */
function yccToRgb(
  luma: Uint8ClampedArray,
  blueChroma: Uint8ClampedArray,
  redChroma: Uint8ClampedArray,
  left: number,
  right: number,
  rgb: Uint8ClampedArray,
): void {
  let to = left * 3;
  for (let x = left; x < right; x++, to += 3) {
    const y = luma[x];
    const cb = blueChroma[x];
    const cr = redChroma[x];
    rgb[to] = y + redFromCr[cr];
    rgb[to + 1] = y + ((greenFromCb[cb] + greenFromCr[cr]) >> fixedBits);
    rgb[to + 2] = y + blueFromCb[cb];
  }
}

function greyToRgb(grey: Uint8ClampedArray, left: number, right: number, rgb: Uint8ClampedArray): void {
  let to = left * 3;
  for (let x = left; x < right; x++, to += 3) {
    rgb[to] = grey[x];
    rgb[to + 1] = grey[x];
    rgb[to + 2] = grey[x];
  }
}

function interleave(
  first: Uint8ClampedArray,
  second: Uint8ClampedArray,
  third: Uint8ClampedArray,
  left: number,
  right: number,
  rgb: Uint8ClampedArray,
): void {
  let to = left * 3;
  for (let x = left; x < right; x++, to += 3) {
    rgb[to] = first[x];
    rgb[to + 1] = second[x];
    rgb[to + 2] = third[x];
  }
}

function complement(left: number, right: number, rgb: Uint8ClampedArray): void {
  for (let i = left * 3; i < right * 3; i++) rgb[i] = 255 - rgb[i];
}

/**
 * From the CMY in `rgb` and black, all stored inverted as Adobe does and as Pillow takes for granted.
 *
 * @see Pillow JpegImagePlugin ("CMYK;I") and src/libImaging/Convert.c, `cmyk2rgb`
 */
function applyInvertedInk(
  black: Uint8ClampedArray,
  left: number,
  right: number,
  rgb: Uint8ClampedArray,
): void {
  for (let x = left; x < right; x++) {
    const light = black[x];
    for (let i = x * 3; i < x * 3 + 3; i++) {
      // Pillow's MULDIV255: a rounded product of two fractions of 255.
      const product = (255 - rgb[i]) * light + 128;
      rgb[i] = light - (((product >> 8) + product) >> 8);
    }
  }
}

function toTable(coefficient: number, bias: number, shift: number): Int32Array {
  return Int32Array.from({ length: 256 }, (_, sample) => (coefficient * (sample - 128) + bias) >> shift);
}
