/** Samples of one component, row by row. */
export interface Plane {
  /** uint8, or uint16 where the picture has more than 8 bits. */
  readonly samples: Uint8Array | Uint16Array;
  /** Index of the first sample of the first row. */
  readonly start: number;
  /** Samples from the start of one row to that of the next. */
  readonly stride: number;
}

/** Chroma of 4:2:0 has a sample for 2 x 2 pixels, of 4:2:2 for 2 x 1. 4:0:0 has none: the picture is grey. */
export type ChromaLayout = '4:4:4' | '4:2:2' | '4:2:0' | '4:0:0';

/** What the AV1 decoder made of an AVIF, before any colour is converted. */
export interface AvifPicture {
  readonly width: number;
  readonly height: number;
  readonly depth: 8 | 10 | 12;
  readonly layout: ChromaLayout;
  readonly isFullRange: boolean;
  /** Colour primaries and matrix coefficients. @see ITU-T H.273, tables 2 and 4 */
  readonly primaries: number;
  readonly matrix: number;
  /** Y, Cb and Cr; of 4:0:0 only Y. Chroma of an odd width or height is rounded up. */
  readonly planes: readonly Plane[];
  /** There is an alpha item: Pillow opens such a file as RGBA, which rounds otherwise in some cases. */
  readonly hasAlpha: boolean;
  /** Its samples, of full range, if colours are multiplied by them; else they are not decoded. */
  readonly premultipliedBy: Plane | undefined;
}

/** Writes pixels [left, right) of row `y` as RGB, HWC; pixel x at `rgb[x * 3]`. Rows may be asked for in any order. */
export type RowConverter = (y: number, rgb: Uint8ClampedArray) => void;

/** Columns that are converted: x in [left, right). */
export interface Columns {
  readonly left: number;
  readonly right: number;
}
