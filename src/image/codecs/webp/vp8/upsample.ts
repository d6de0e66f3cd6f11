/**
 * A row of luma and two of chroma to RGB: chroma is interpolated between its four next samples, 9 : 3 : 3 : 1.
 *
 * Indexes are in range: a row of chroma has (width + 1) / 2 samples.
 *
 * @param near the row of chroma that this row of luma belongs to.
 * @param far the next one on the other side; `near` again at the border of the image.
 * @param left the first pixel that is written, even.
 * @param right behind the last one.
 * @param width of the image.
 * @param rgb pixel x is at `3 * x`.
 * @see libwebp src/dsp/upsampling.c, `UPSAMPLE_FUNC`
 */
export function upsampleRow(
  luma: Uint8Array,
  nearCb: Uint8Array,
  farCb: Uint8Array,
  nearCr: Uint8Array,
  farCr: Uint8Array,
  rgb: Uint8Array,
  left: number,
  right: number,
  width: number,
): void {
  const lastChroma = (width - 1) >> 1;
  for (let x = left; x < right; x++) {
    // Odd pixels lie nearer to the sample on their left, even ones to the one on their right.
    const near = x >> 1;
    const other = (x & 1) === 1 ? Math.min(near + 1, lastChroma) : Math.max(near - 1, 0);
    const cb = interpolate(nearCb[near]!, nearCb[other]!, farCb[near]!, farCb[other]!);
    const cr = interpolate(nearCr[near]!, nearCr[other]!, farCr[near]!, farCr[other]!);
    writePixel(luma[x]!, cb, cr, rgb, 3 * x);
  }
}

/** In two steps that round as libwebp does. With equal columns it is (3 * near + far + 2) / 4. */
function interpolate(near: number, nearOther: number, far: number, farOther: number): number {
  const sum = near + nearOther + far + farOther + 8;
  return (((sum + 2 * (nearOther + far)) >> 3) + near) >> 1;
}

/** @see libwebp src/dsp/yuv.h, `VP8YuvToRgb` */
function writePixel(y: number, cb: number, cr: number, rgb: Uint8Array, at: number): void {
  const luma = (y * 19_077) >> 8;
  rgb[at] = clamp(luma + ((cr * 26_149) >> 8) - 14_234);
  rgb[at + 1] = clamp(luma - ((cb * 6_419) >> 8) - ((cr * 13_320) >> 8) + 8_708);
  rgb[at + 2] = clamp(luma + ((cb * 33_050) >> 8) - 17_685);
}

/** Of 6 bits behind the point. */
function clamp(value: number): number {
  return value < 0 ? 0 : value > 16_383 ? 255 : value >> 6;
}
