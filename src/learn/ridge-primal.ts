import { factorCholesky, solveCholesky, toGram } from './linear-algebra.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** A linear classifier: score c of x is bias c + weights c times x. */
export interface LinearClassifier {
  /** FP32 [classes][features], row-major. */
  readonly weights: Float32Array;
  /** FP64 (classes). */
  readonly biases: Float64Array;
}

/**
 * What `fitRidge` fits, by equations of as many unknowns as there are features: for more examples than those.
 *
 * @param vectors FP32, all of one length.
 * @param penalty as of `fitRidge`.
 */
export function fitRidgePrimal(
  vectors: readonly Float32Array[],
  classes: readonly number[],
  classCount: number,
  penalty: number,
): LinearClassifier {
  const features = vectors[0]!.length;
  const count = vectors.length;
  const counts = new Float64Array(classCount);
  for (const label of classes) counts[label]!++;
  const weightOf = (index: number) => count / (classCount * counts[classes[index]!]!);

  const means = new Float64Array(features);
  for (const [i, vector] of vectors.entries()) {
    for (let f = 0; f < features; f++) means[f]! += (weightOf(i) * vector[f]!) / count;
  }
  // Columns of the centred features, each example times the root of its weight.
  const columns = Array.from({ length: features }, () => new Float32Array(count));
  const target = 1 / classCount;
  const right = new Float64Array(features * classCount);
  for (const [i, vector] of vectors.entries()) {
    const weight = weightOf(i);
    const root = Math.sqrt(weight);
    const label = classes[i]!;
    for (let f = 0; f < features; f++) {
      const centred = vector[f]! - means[f]!;
      columns[f]![i] = root * centred;
      for (let c = 0; c < classCount; c++) right[f * classCount + c]! -= weight * centred * target;
      right[f * classCount + label]! += weight * centred;
    }
  }
  const matrix = toGram(columns);
  let trace = 0;
  for (let f = 0; f < features; f++) trace += matrix[f * features + f]!;
  const ridge = Math.max((penalty * trace) / count, 1e-9);
  for (let f = 0; f < features; f++) matrix[f * features + f]! += ridge;
  factorCholesky(matrix, features);
  solveCholesky(matrix, features, right, classCount);

  const weights = new Float32Array(classCount * features);
  const biases = new Float64Array(classCount).fill(target);
  for (let f = 0; f < features; f++) {
    for (let c = 0; c < classCount; c++) {
      weights[c * features + f] = right[f * classCount + c]!;
      biases[c]! -= right[f * classCount + c]! * means[f]!;
    }
  }
  return { weights, biases };
}
