import type { RowSink } from '../image/image.ts';

/** A row sink that turns the rows into the crop. */
export interface CropSink extends RowSink {
  /** RGB uint8, HWC, size x size; final once `complete`. */
  readonly crop: Uint8Array;
  /** True when the last row of `window` has been written. */
  readonly complete: boolean;
}
