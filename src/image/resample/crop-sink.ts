import type { RowSink } from '../image.ts';
import type { ResampleFilter } from './filter.ts';

/** A row sink that turns the rows into the crop. */
export interface CropSink extends RowSink {
  /** RGB uint8, HWC, as large as the geometry's crop; final once `complete`. */
  readonly crop: Uint8Array;
  /** True when the last row of `window` has been written. */
  readonly complete: boolean;
}

/** How the crop is made of stored pixels. */
export interface StoredAxes {
  /** Resizes along a stored row, and along a stored column. */
  readonly alongRow: ResampleFilter;
  readonly alongColumn: ResampleFilter;
  /** Whether those filters are mirrored, so that their outputs come in reverse. */
  readonly mirrorsRow: boolean;
  readonly mirrorsColumn: boolean;
  /** Whether stored rows become columns of the crop. */
  readonly transposes: boolean;
}
