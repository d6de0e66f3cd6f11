/** How pixels become a model's input. Data of each model's manifest, never a constant of the code. */
export interface PreprocessSpec {
  /** The shorter side is resized to this many pixels, the longer one in proportion, truncated. */
  readonly resizeShortestEdge: number;
  readonly interpolation: 'bilinear' | 'bicubic';
  /** Side of the square cut from the centre, at most `resizeShortestEdge`. */
  readonly centerCrop: number;
  /** Multiplies a uint8 sample before mean and std: 1/255 gives the range [0, 1]. */
  readonly rescaleFactor: number;
  /** Per channel, RGB. */
  readonly mean: readonly [number, number, number];
  /** Per channel, RGB; each > 0. */
  readonly std: readonly [number, number, number];
}
