import type { PixelWindow } from '../../image.ts';

/** Takes one row of a segment. @param rgb pixel x of the segment starts at `rgb[x * 3]`. */
export type WriteSegmentRow = (rgb: Uint8Array, y: number) => void;

/** Decodes strips or tiles, one at a time. */
export interface SegmentDecoder {
  /**
   * @param column of segments, @param row of segments: which one it is.
   * @param window of it, in pixels from its upper left corner.
   * @param write receives the rows of the window, in their order; the buffer is used again.
   * @throws {CodedError} `image_malformed`, `image_truncated`, `image_format_unsupported`, `image_too_complex`.
   */
  decode(column: number, row: number, window: PixelWindow, write: WriteSegmentRow): void;
}
