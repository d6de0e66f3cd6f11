import type { FeatureLayers } from '../inference/session.ts';
import type { ClassifyChoice } from './choice.ts';
import type { ImageInfo } from './classification.ts';

/** What a caller may choose for the embedding of one image. */
export interface EmbedChoice extends Pick<ClassifyChoice, 'orientation' | 'decode' | 'strict'> {
  /** The last block's features, or those of all blocks side by side, which tell more of texture and colour. */
  readonly layers: FeatureLayers;
}

/** The features that a model computes from an image. */
export interface Embedding {
  readonly image: ImageInfo;
  /** FP32, one array a block, first block first. */
  readonly features: readonly Float32Array[];
}

/**
 * Blocks side by side as one vector.
 *
 * @param features FP32, one array a block, none negative.
 * @param normalize scales each block to the same length, and the whole to length 1, so that no block drowns another and a
 *   dot product is the cosine. A block of zeros stays zero.
 */
export function toVector(features: readonly Float32Array[], normalize: boolean): Float32Array {
  const vector = new Float32Array(features.reduce((sum, { length }) => sum + length, 0));
  const share = 1 / Math.sqrt(features.length);
  let at = 0;
  for (const block of features) {
    const length = normalize ? lengthOf(block) : 1;
    const factor = normalize ? (length > 0 ? share / length : 0) : 1;
    for (const [index, value] of block.entries()) vector[at + index] = value * factor;
    at += block.length;
  }
  return vector;
}

/** Euclidean, in float64. */
function lengthOf(values: Float32Array): number {
  let squares = 0;
  for (const value of values) squares += value * value;
  return Math.sqrt(squares);
}
