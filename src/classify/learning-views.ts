import type { PreprocessSpec } from '../image/preprocess-spec.ts';
import type { Fp32Tensor } from '../lib/tensor.ts';
import { toVector } from './embedding.ts';

/** Views of a photo that a lesson learns from: as the service sees it, mirrored, and its middle. */
export const learningViewCount = 3;
/** The middle view shows this share of the crop's sides. */
const middleShare = 0.85;

/**
 * The features of a photo's views, for learning.
 *
 * @param toInput decodes the photo for a model: FP32 (1, 3, centerCrop, centerCrop).
 * @param run gives the features of an input, one array a block.
 * @returns FP32 of length 1, all blocks side by side: first the view that the service classifies.
 */
export async function readLearningViews(
  spec: PreprocessSpec,
  toInput: (spec: PreprocessSpec) => Promise<Fp32Tensor>,
  run: (input: Fp32Tensor) => Promise<readonly Float32Array[]>,
): Promise<Float32Array[]> {
  const whole = await toInput(spec);
  const middle = await toInput({
    ...spec,
    resizeShortestEdge: Math.round(spec.resizeShortestEdge / middleShare),
  });
  const vectors: Float32Array[] = [];
  for (const view of [whole, mirror(whole), middle]) vectors.push(toVector(await run(view), true));
  return vectors;
}

/** @param tensor NCHW. @returns the picture with left and right exchanged. */
function mirror(tensor: Fp32Tensor): Fp32Tensor {
  const width = tensor.shape.at(-1) ?? 1;
  const data = tensor.data.slice();
  for (let row = 0; row < data.length; row += width) data.subarray(row, row + width).reverse();
  return { ...tensor, data };
}
