import type { PixelWindow, RowSink } from '../../image.ts';
import type { AvifPicture } from './picture.ts';
import { toRgbRows } from './to-rgb-rows.ts';

/**
 * Hands rows of a picture to a sink as RGB.
 *
 * @param rows pixels of the sink's window, of which the picture has the samples.
 * @throws {CodedError} `image_format_unsupported` of colours that Pillow refuses too.
 */
export function writeRows(picture: AvifPicture, sink: RowSink, rows: PixelWindow): void {
  const convertRow = toRgbRows(picture, rows);
  const rgb = new Uint8Array(rows.right * 3);
  const clamped = new Uint8ClampedArray(rgb.buffer);
  for (let y = rows.top; y < rows.bottom; y++) {
    convertRow(y, clamped);
    sink.writeRow(rgb, y);
  }
}
