/**
 * The seam between decoders and consumers of pixels. A decoder never holds a frame: it asks the consumer which pixels
 * it will read, then hands over rows from top to bottom.
 */

export type ImageFormat = 'jpeg' | 'png' | 'gif' | 'bmp' | 'tiff' | 'webp' | 'avif' | 'heic';

/** EXIF orientation (CIPA DC-008, tag 0x0112): 1 is upright, 5 to 8 swap width and height. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** What the first bytes of a file declare, before anything in proportion to it is allocated. */
export interface ImageHeader {
  readonly format: ImageFormat;
  /** Pixels as stored, before orientation is applied. Positive integers. */
  readonly width: number;
  readonly height: number;
  readonly orientation: Orientation;
}

/** A half-open rectangle of stored pixels: x in [left, right), y in [top, bottom). */
export interface PixelWindow {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** A row of each colour: pixel x is `red[x]`, `green[x]` and `blue[x]`. There are 15 samples to read behind the last. */
export interface ColourRows {
  readonly red: Uint8Array;
  readonly green: Uint8Array;
  readonly blue: Uint8Array;
}

/** Takes the rows of one image in stored order. */
export interface RowSink {
  /** Every pixel the sink will read; a decoder may skip the work for all others. */
  readonly window: PixelWindow;
  /**
   * @param rgb RGB uint8, HWC; pixel x starts at `rgb[x * 3]`. Valid only inside `window`, and only
   *   during the call: the decoder reuses the buffer.
   * @param y stored row; called once for each row of `window`, ascending.
   */
  writeRow(rgb: Uint8Array, y: number): void;
  /** Instead of `writeRow`, where the sink prefers colours apart: for all rows of the image or for none. */
  readonly writePlanes?: (rows: ColourRows, y: number) => void;
}

/**
 * The decoder of a format that a deployment may leave out, because of its size or its licence.
 *
 * @throws {CodedError} one of the `image_*` codes.
 */
export type OptionalDecoder = (bytes: Uint8Array, sink: RowSink) => Promise<void>;
