/** How pixels become a model's input. Data of each model's manifest, never a constant of the code. */
export interface PreprocessSpec {
  /** The shorter side is resized to this many pixels, the longer one in proportion, truncated. */
  readonly resizeShortestEdge: number;
  readonly interpolation: 'bilinear' | 'bicubic';
  /**
   * How the resized sides are worked out: by the ratio of the two sides (the default); as SuperGradients does, by one
   * factor for both, whose rounding leaves the shorter side a pixel short at about every tenth size; or the image is
   * stretched to a square.
   */
  readonly resizeBy?: 'ratio' | 'factor' | 'stretch';
  /** Side of the square cut from the centre, at most `resizeShortestEdge`. */
  readonly centerCrop: number;
  /**
   * Where the crop begins when an odd number of pixels is left over: torchvision and timm round a half to even
   * (the default), Hugging Face and SuperGradients round it down.
   */
  readonly cropRounding?: 'half-even' | 'floor';
  /** Multiplies a uint8 sample before mean and std: 1/255 gives the range [0, 1]. */
  readonly rescaleFactor: number;
  /** The model's order of channels: 'rgb' (the default), or 'bgr' as Caffe and Keras have it. */
  readonly channelOrder?: 'rgb' | 'bgr';
  /** Per channel, in the model's order. */
  readonly mean: readonly [number, number, number];
  /** Per channel, in the model's order; each > 0. */
  readonly std: readonly [number, number, number];
}
