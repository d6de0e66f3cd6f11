import { dividesInFloats } from './float-rows.ts';
import type { AvifPicture, Columns, Plane, RowConverter } from './picture.ts';

// `!` behind an index: rows and columns are those of the picture, whose planes were checked.

/**
 * Divides the colours of converted rows by premultiplied alpha, as libyuv does. Pillow shows such a picture so. Without
 * that alpha, rows are left as they are.
 *
 * @param isFixedPoint whether libyuv has converted the rows. It may have converted alpha too.
 * @see libyuv row_gcc.cc, `ARGBUnattenuateRow_AVX2`
 */
export function unpremultiplyRows(
  convertRow: RowConverter,
  picture: AvifPicture,
  { left, right }: Columns,
  isFixedPoint: boolean,
): RowConverter {
  const { premultipliedBy } = picture;
  if (!premultipliedBy || (!isFixedPoint && dividesInFloats(picture))) return convertRow;
  const { samples, start, stride }: Plane = premultipliedBy;
  const factors = createFactors(picture, isFixedPoint);
  return (y, rgb) => {
    convertRow(y, rgb);
    for (let x = left; x < right; x++) {
      const factor = factors[samples[start + y * stride + x]!]!;
      for (let at = x * 3; at < x * 3 + 3; at++) {
        // libyuv's SIMD takes the product's upper half as signed, and makes 0 of what is negative then.
        const quotient = (rgb[at]! * 257 * factor) / 65_536;
        rgb[at] = quotient < 32_768 ? Math.floor(quotient) : 0;
      }
    }
  };
}

/** By each sample of alpha, 256 / alpha8 in fixed point of 8 bits. */
function createFactors({ depth, layout }: AvifPicture, isFixedPoint: boolean): Uint16Array {
  const top = (1 << depth) - 1;
  // libyuv drops bits of alpha where it converts alpha with the colours; else libavif rounds it.
  const isRounded = !isFixedPoint || layout === '4:0:0' || (depth === 12 && layout === '4:2:0');
  return Uint16Array.from({ length: top + 1 }, (_, sample) => {
    const alpha = isRounded ? Math.trunc(0.5 + Math.fround(sample / top) * 255) : sample >> (depth - 8);
    if (alpha === 0) return 0;
    return alpha === 1 ? 65_535 : alpha === 255 ? 256 : Math.floor(65_536 / alpha);
  });
}
