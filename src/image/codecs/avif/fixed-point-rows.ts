import { createChromaRows } from './chroma-rows.ts';
import type { AvifPicture, Columns, RowConverter } from './picture.ts';
import type { FixedPointMatrix } from './yuv-matrix.ts';

// `!` behind an index: rows and columns are those of the picture, whose planes were checked.

/**
 * Converts rows as libyuv does: with 6 bits behind the point. Samples of 10 and 12 bits are cut to 8 first, but for a few
 * kinds of pictures with alpha, which libavif gives to functions that know more bits.
 *
 * @see libavif reformat_libyuv.c, `getLibYUVConversionFunction`; libyuv row_common.cc, `YuvPixel`
 */
export function createFixedPointRows(
  picture: AvifPicture,
  matrix: FixedPointMatrix,
  columns: Columns,
): RowConverter {
  const { depth, layout, hasAlpha, planes } = picture;
  const isDeepNearest = hasAlpha && depth === 12 && layout === '4:2:0';
  const isDeep = isDeepNearest || (hasAlpha && depth === 10 && layout !== '4:0:0');
  const droppedBits = isDeep ? 0 : depth - 8;
  const keptDepth = depth - droppedBits;
  const lumas = createLumaTable(matrix, keptDepth);
  const [luma, ...chroma] = planes;
  const { samples, start, stride } = luma!;
  const { left, right } = columns;
  if (layout === '4:0:0') {
    return (y, rgb) => {
      const from = start + y * stride;
      for (let x = left; x < right; x++) {
        const grey = lumas[samples[from + x]! >> droppedBits]! >> 6;
        rgb[x * 3] = grey;
        rgb[x * 3 + 1] = grey;
        rgb[x * 3 + 2] = grey;
      }
    };
  }
  const options = { droppedBits, isNearest: isDeepNearest };
  const [blueRows, redRows] = chroma.map((plane) => createChromaRows(plane, picture, columns, options));
  const { redOfCr, greenOfCb, greenOfCr, blueOfCb } = matrix;
  const chromaBits = keptDepth - 8;
  return (y, rgb) => {
    const cbRow = blueRows!(y);
    const crRow = redRows!(y);
    const from = start + y * stride;
    for (let x = left, at = left * 3; x < right; x++, at += 3) {
      const light = lumas[samples[from + x]! >> droppedBits]!;
      const cb = (cbRow[x]! >> chromaBits) - 128;
      const cr = (crRow[x]! >> chromaBits) - 128;
      rgb[at] = (light + cr * redOfCr) >> 6;
      rgb[at + 1] = (light - cb * greenOfCb - cr * greenOfCr) >> 6;
      rgb[at + 2] = (light + cb * blueOfCb) >> 6;
    }
  };
}

/** What each sample of Y gives to all three colours: libyuv spreads its bits over 16 and multiplies. */
function createLumaTable({ luma, lumaOffset }: FixedPointMatrix, depth: number): Int32Array {
  const up = 16 - depth;
  const down = 2 * depth - 16;
  return Int32Array.from({ length: 1 << depth }, (_, y) => {
    return ((((y << up) | (y >> down)) * luma) >>> 16) + lumaOffset;
  });
}
