import { factorCholesky, solveCholesky } from './linear-algebra.ts';
import { type Pace, withoutPauses } from './pace.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** Examples by index, and the class of each. */
export interface TrainingSet {
  /** FP64 (all, all): inner products of all examples' vectors. */
  readonly gram: Float64Array;
  /** Class of every example, 0 to classCount - 1. */
  readonly classes: readonly number[];
  readonly classCount: number;
}

/** A linear classifier as a sum over its examples: score c of x is bias + sum of coefficients times inner products. */
export interface DualClassifier {
  /** The examples that it was fitted on. */
  readonly indices: readonly number[];
  /** FP64 (indices, classes). */
  readonly coefficients: Float64Array;
  /** FP64 (classes). */
  readonly biases: Float64Array;
}

/**
 * Ridge regression on one-hot targets, in closed form. Each class has the same weight, however many examples it has, so
 * that large classes do not swallow small ones. Features are centred, and their mean goes into the biases.
 *
 * @param indices of the examples to fit on; each class has one at least.
 * @param penalty L2, in units of the examples' mean squared length.
 */
export async function fitRidge(
  { gram, classes, classCount }: TrainingSet,
  indices: readonly number[],
  penalty: number,
  pace: Pace = withoutPauses,
): Promise<DualClassifier> {
  const count = indices.length;
  const all = classes.length;
  const weights = weighByClass(
    indices.map((index) => classes[index]!),
    classCount,
  );
  const centred = centre(gram, all, indices, weights);
  const roots = weights.map(Math.sqrt);
  const matrix = new Float64Array(count * count);
  let trace = 0;
  for (let i = 0; i < count; i++) trace += weights[i]! * centred.gram[i * count + i]!;
  const ridge = Math.max((penalty * trace) / count, 1e-9);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j <= i; j++) matrix[i * count + j] = roots[i]! * roots[j]! * centred.gram[i * count + j]!;
    matrix[i * count + i]! += ridge;
  }
  await factorCholesky(matrix, count, pace);
  // Weighted classes are equally frequent: the mean target is 1 / classCount.
  const mean = 1 / classCount;
  const solution = new Float64Array(count * classCount);
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < classCount; c++) {
      const target = classes[indices[i]!] === c ? 1 : 0;
      solution[i * classCount + c] = roots[i]! * (target - mean);
    }
  }
  await solveCholesky(matrix, count, solution, classCount, pace);
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < classCount; c++) solution[i * classCount + c]! *= roots[i]!;
  }
  return uncentre(solution, centred.means, centred.mean, weights, indices, classCount, mean);
}

/** @returns a weight for each example: equal in sum for each class, 1 on average. */
function weighByClass(classes: readonly number[], classCount: number): Float64Array {
  const counts = new Float64Array(classCount);
  for (const label of classes) counts[label]!++;
  return Float64Array.from(classes, (label) => classes.length / (classCount * counts[label]!));
}

/** Inner products of the examples less their weighted mean. */
function centre(gram: Float64Array, all: number, indices: readonly number[], weights: Float64Array) {
  const count = indices.length;
  const own = new Float64Array(count * count);
  const means = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const row = indices[i]! * all;
    for (let j = 0; j < count; j++) {
      const product = gram[row + indices[j]!]!;
      own[i * count + j] = product;
      means[i]! += (weights[j]! * product) / count;
    }
  }
  const mean = means.reduce((sum, value, i) => sum + (weights[i]! * value) / count, 0);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) own[i * count + j]! += mean - means[i]! - means[j]!;
  }
  return { gram: own, means, mean };
}

/** From coefficients of centred features to those of the features themselves. */
function uncentre(
  solution: Float64Array,
  means: Float64Array,
  mean: number,
  weights: Float64Array,
  indices: readonly number[],
  classCount: number,
  target: number,
): DualClassifier {
  const count = indices.length;
  const biases = new Float64Array(classCount).fill(target);
  const sums = new Float64Array(classCount);
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < classCount; c++) {
      sums[c]! += solution[i * classCount + c]!;
      biases[c]! -= solution[i * classCount + c]! * (means[i]! - mean);
    }
  }
  const coefficients = solution.slice();
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < classCount; c++) {
      coefficients[i * classCount + c]! -= (sums[c]! * weights[i]!) / count;
    }
  }
  return { indices, coefficients, biases };
}

/** @returns FP64 (classCount): the sums of one example, whether it was fitted on or not. */
export function scoreExample(
  { indices, coefficients, biases }: DualClassifier,
  { gram, classes, classCount }: TrainingSet,
  example: number,
): Float64Array {
  const sums = biases.slice();
  const row = example * classes.length;
  for (let i = 0; i < indices.length; i++) {
    const product = gram[row + indices[i]!]!;
    for (let c = 0; c < classCount; c++) sums[c]! += coefficients[i * classCount + c]! * product;
  }
  return sums;
}

/**
 * @param vectors of all examples.
 * @returns FP32 [classes][features], row-major.
 */
export async function toPrimalWeights(
  { indices, coefficients, biases }: DualClassifier,
  vectors: readonly Float32Array[],
  pace: Pace = withoutPauses,
): Promise<Float32Array> {
  const features = vectors[0]!.length;
  const classCount = biases.length;
  const sums = new Float64Array(classCount * features);
  for (const [i, index] of indices.entries()) {
    const vector = vectors[index]!;
    const pause = pace(classCount * features);
    if (pause) await pause;
    for (let c = 0; c < classCount; c++) {
      const coefficient = coefficients[i * classCount + c]!;
      for (let f = 0; f < features; f++) sums[c * features + f]! += coefficient * vector[f]!;
    }
  }
  return Float32Array.from(sums);
}
