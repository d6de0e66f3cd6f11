import type { PixelArena } from '../../../../pixel-arena.ts';
import { upsampleRow } from '../upsample.ts';

/** What is written behind a row of RGB: up to 14 pixels. */
export const upsampleMargin = 42;

/** `upsampleRow` by WebAssembly, of rows in `arena`; the pixels at the image's borders are left to TypeScript. */
export function createUpsampler({ routines }: PixelArena): typeof upsampleRow {
  return (luma, nearCb, farCb, nearCr, farCr, rgb, left, right, width) => {
    const lastChroma = (width - 1) >> 1;
    // Pixels 2k + 1 and 2k + 2 lie between samples k and k + 1 of chroma.
    const first = Math.max(0, (left - 1) >> 1);
    const count = Math.min(lastChroma, right >> 1) - first;
    if (count > 0) {
      routines.vp8_upsample_rgb(
        luma.byteOffset + 2 * first + 1,
        nearCb.byteOffset + first,
        farCb.byteOffset + first,
        nearCr.byteOffset + first,
        farCr.byteOffset + first,
        rgb.byteOffset + 3 * (2 * first + 1),
        count,
      );
    }
    const border = (x: number) => {
      if (x < left || x >= right) return;
      upsampleRow(luma, nearCb, farCb, nearCr, farCr, rgb, x, x + 1, width);
    };
    border(0);
    // The last pixel of an even width has no chroma behind it.
    if (width % 2 === 0) border(width - 1);
  };
}
