import { createFixedPointRows } from './fixed-point-rows.ts';
import { createFloatRows } from './float-rows.ts';
import type { AvifPicture, Columns, RowConverter } from './picture.ts';
import { unpremultiplyRows } from './unpremultiply-rows.ts';
import { findFixedPointMatrix } from './yuv-matrix.ts';

/**
 * How Pillow 13 makes RGB of an AVIF, byte for byte: by libavif 1.4, which gives most pictures to libyuv and converts the
 * others by itself. Alpha is dropped at the end.
 *
 * @throws {CodedError} `image_format_unsupported` of colours that Pillow refuses too.
 * @see Pillow _avif.c, `_decoder_get_frame`; libavif reformat.c, `avifImageYUVToRGB`
 */
export function toRgbRows(picture: AvifPicture, columns: Columns): RowConverter {
  // A picture without colours and alpha is opened as "L", of which libyuv has no conversion.
  const isGrey = picture.layout === '4:0:0' && !picture.hasAlpha;
  const matrix = isGrey ? undefined : findFixedPointMatrix(picture);
  const convertRow = matrix
    ? createFixedPointRows(picture, matrix, columns)
    : createFloatRows(picture, columns);
  return unpremultiplyRows(convertRow, picture, columns, matrix !== undefined);
}
