import { addProducts, factorCholesky, solveCholesky } from './linear-algebra.ts';
import { type Pace, withoutPauses } from './pace.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** A linear classifier: score c of x is bias c + weights c times x. */
export interface LinearClassifier {
  /** FP32 [classes][features], row-major. */
  readonly weights: Float32Array;
  /** FP64 (classes). */
  readonly biases: Float64Array;
}

/** An example's vectors, each of which counts as an example of its class. */
export interface Views {
  readonly label: number;
  /** FP32, all of one length. */
  read(): Promise<readonly Float32Array[]>;
}

/** Vectors whose products are added at once: so many columns of 2,432 features are 1.2 MB. */
const blockSize = 128;

/**
 * What `fitRidge` fits, by equations of as many unknowns as there are features: for more vectors than those. The vectors
 * are read one example after the other and not kept.
 *
 * @param examples each with `viewCount` vectors.
 * @param features values of each vector.
 * @param penalty as of `fitRidge`.
 */
export async function fitRidgePrimal(
  examples: readonly Views[],
  viewCount: number,
  features: number,
  classCount: number,
  penalty: number,
  pace: Pace = withoutPauses,
): Promise<LinearClassifier> {
  const count = examples.length * viewCount;
  const counts = new Float64Array(classCount);
  for (const { label } of examples) counts[label]! += viewCount;
  const target = 1 / classCount;
  const sums = new PrimalSums(features, classCount);
  for (const example of examples) {
    const weight = count / (classCount * counts[example.label]!);
    for (const vector of await example.read()) {
      await sums.add(vector, example.label, weight, pace);
    }
  }
  const { means, matrix, right } = await sums.finish(count, pace);
  let trace = 0;
  for (let f = 0; f < features; f++) trace += matrix[f * features + f]!;
  const ridge = Math.max((penalty * trace) / count, 1e-9);
  for (let f = 0; f < features; f++) matrix[f * features + f]! += ridge;
  await factorCholesky(matrix, features, pace);
  await solveCholesky(matrix, features, right, classCount, pace);

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

/** Sums over weighted vectors x with one-hot targets y: of x, of x x^T, and of x y^T. */
class PrimalSums {
  readonly #features: number;
  readonly #classCount: number;
  readonly #means: Float64Array;
  /** Lower triangle. */
  readonly #matrix: Float64Array;
  readonly #right: Float64Array;
  /** A block of vectors, each times the root of its weight, column by column. */
  readonly #columns: readonly Float32Array[];
  #filled = 0;

  constructor(features: number, classCount: number) {
    this.#features = features;
    this.#classCount = classCount;
    this.#means = new Float64Array(features);
    this.#matrix = new Float64Array(features * features);
    this.#right = new Float64Array(features * classCount);
    this.#columns = Array.from({ length: features }, () => new Float32Array(blockSize));
  }

  async add(vector: Float32Array, label: number, weight: number, pace: Pace): Promise<void> {
    const root = Math.sqrt(weight);
    for (let f = 0; f < this.#features; f++) {
      const value = vector[f]!;
      this.#means[f]! += weight * value;
      this.#columns[f]![this.#filled] = root * value;
      this.#right[f * this.#classCount + label]! += weight * value;
    }
    this.#filled++;
    if (this.#filled === blockSize) await this.#addBlock(pace);
  }

  /** @returns the sums of centred vectors with centred targets, and the mean. */
  async finish(count: number, pace: Pace) {
    await this.#addBlock(pace);
    const features = this.#features;
    const means = this.#means.map((sum) => sum / count);
    for (let f = 0; f < features; f++) {
      for (let g = 0; g <= f; g++) this.#matrix[f * features + g]! -= count * means[f]! * means[g]!;
      // Weighted classes are equally frequent: each has a sum of weights of count / classCount.
      const share = (count * means[f]!) / this.#classCount;
      for (let c = 0; c < this.#classCount; c++) this.#right[f * this.#classCount + c]! -= share;
    }
    return { means, matrix: this.#matrix, right: this.#right };
  }

  async #addBlock(pace: Pace): Promise<void> {
    const filled = this.#filled;
    if (filled === 0) return;
    this.#filled = 0;
    await addProducts(
      this.#matrix,
      this.#columns.map((column) => column.subarray(0, filled)),
      pace,
    );
  }
}
