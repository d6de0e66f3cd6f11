import type { PreprocessSpec } from '../../src/image/preprocess-spec.ts';

/** torchvision's default, which most models were trained with. */
export const defaultSpec: PreprocessSpec = {
  resizeShortestEdge: 256,
  interpolation: 'bilinear',
  centerCrop: 224,
  rescaleFactor: 1 / 255,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};
