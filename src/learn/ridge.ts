import {
  depthStepBytes,
  int16Speed,
  panelBytes,
  panelDepth,
  panelRowBytes,
  tileSide,
} from './matrix/layout.ts';
import type { MatrixMemory } from './matrix/matrix-memory.ts';
import { SymmetricTiles, TiledColumns } from './matrix/tiles.ts';
import type { Pace } from './pace.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** Largest length of a row of a panel: by the Cauchy-Schwarz inequality no sum of products then exceeds INT32. */
const largestNorm = 46_000;
const largestInt16 = 32_767;

/**
 * @param rows FP32 (dimensions); each belongs to a class.
 * @returns FP64 (dimensions): the mean of the classes' means, on which `RidgeEquations` centre.
 */
export function toCentre(
  rows: readonly Float32Array[],
  classes: readonly number[],
  classCount: number,
): Float64Array {
  const counts = new Float64Array(classCount);
  for (const label of classes) counts[label]!++;
  const known = counts.filter((count) => count > 0).length;
  const centre = new Float64Array(rows[0]!.length);
  for (const [index, row] of rows.entries()) {
    const share = 1 / (known * counts[classes[index]!]!);
    for (let d = 0; d < centre.length; d++) centre[d]! += share * row[d]!;
  }
  return centre;
}

interface WeightedVector {
  readonly vector: Float32Array;
  /** Square root of the example's weight. */
  readonly root: number;
  /** FP64 (dimensions): the sums of its class. */
  readonly sums: Float64Array;
}

/** A linear classifier: score c of x is bias c + column c of the weights times x. */
export interface LinearClassifier {
  /** (dimensions, classes). */
  readonly weights: TiledColumns;
  /** FP64 (classes). */
  readonly biases: Float64Array;
}

/**
 * The normal equations of ridge regression on one-hot targets. Each class has the same weight, however many examples it
 * has, so that large classes do not swallow small ones. Features are centred, and their mean goes into the biases.
 *
 * Examples are added in blocks: their values are rounded to INT16 by a scale for each feature and block, so that the
 * products are exact and fast. The rounding error is about 1 / 3,000 of a feature's spread.
 */
export class RidgeEquations {
  readonly #memory: MatrixMemory;
  readonly #dimensions: number;
  readonly #counts: Float64Array;
  readonly #total: number;
  /** Classes that have an example. */
  readonly #known: number;
  /**
   * Approximately the mean of all examples. It is subtracted before rounding, so that the digits go to the differences
   * between photos and not to what they have in common.
   */
  readonly #centre: Float64Array;
  readonly #matrix: SymmetricTiles;
  readonly #panels: number;
  readonly #scales: number;
  /** FP64 (classes, dimensions): weighted sums of the examples' values, less the centre. */
  readonly #sums: Float64Array[];
  #block: WeightedVector[] = [];

  /**
   * Its memory lasts as long as the `within` around it.
   *
   * @param counts examples of each class that will be added; a class without any is not learned.
   * @param centre FP64 (dimensions), of `toCentre`.
   */
  constructor(memory: MatrixMemory, counts: readonly number[], centre: Float64Array) {
    this.#memory = memory;
    this.#dimensions = centre.length;
    this.#counts = Float64Array.from(counts);
    this.#total = counts.reduce((a, b) => a + b, 0);
    this.#known = counts.filter((count) => count > 0).length;
    this.#centre = centre;
    this.#matrix = new SymmetricTiles(memory, this.#dimensions);
    this.#panels = memory.allocate(this.#matrix.tiles * panelBytes);
    this.#scales = memory.allocate(this.#matrix.tiles * tileSide * 8);
    this.#sums = counts.map(() => new Float64Array(this.#dimensions));
  }

  /** @param vector FP32 (dimensions); it must not change until `finish`. */
  async add(vector: Float32Array, label: number, pace: Pace): Promise<void> {
    // The weights of each class have the same sum, and their average is 1.
    const weight = this.#total / (this.#known * this.#counts[label]!);
    this.#block.push({ vector, root: Math.sqrt(weight), sums: this.#sums[label]! });
    if (this.#block.length === panelDepth) await this.#addBlock(pace);
  }

  /** After the last `add`: subtracts the mean. */
  async finish(pace: Pace): Promise<void> {
    await this.#addBlock(pace);
    this.#matrix.subtractOuter(this.#means(), this.#total);
  }

  /**
   * After `finish`. Its memory lasts as long as the `within` around it.
   *
   * @param penalty L2, in units of the examples' mean squared length.
   * @param last true if these equations are not solved again: then the solution overwrites them.
   */
  async solve(penalty: number, last: boolean, pace: Pace): Promise<LinearClassifier> {
    const weights = new TiledColumns(this.#memory, this.#dimensions, this.#counts.length);
    const means = this.#means();
    // With weights all classes are equally frequent: the mean target is 1 / known, and the weights of each class have one sum.
    const target = 1 / this.#known;
    const shares = means.map((mean) => mean * this.#total * target);
    for (let c = 0; c < this.#counts.length; c++) {
      const [tile, at] = [Math.floor(c / tileSide), c % tileSide];
      if (this.#counts[c] === 0) continue;
      const sums = this.#sums[c]!;
      for (let d = 0; d < this.#dimensions; d++) weights.rowOf(d, tile)[at] = sums[d]! - shares[d]!;
    }
    const solve = async () => {
      let matrix = this.#matrix;
      if (!last) {
        matrix = new SymmetricTiles(this.#memory, this.#dimensions);
        matrix.copyFrom(this.#matrix);
      }
      matrix.addToDiagonal(Math.max((penalty * matrix.trace()) / this.#total, 1e-9));
      await matrix.factor(pace);
      await matrix.solveForward(weights, pace);
      await matrix.solveBackward(weights, pace);
    };
    await this.#memory.within(solve);
    const biases = new Float64Array(this.#counts.length).fill(target);
    for (let d = 0; d < this.#dimensions; d++) {
      const mean = this.#centre[d]! + means[d]!;
      for (let tile = 0; tile < weights.columnTiles; tile++) {
        const row = weights.rowOf(d, tile);
        const first = tile * tileSide;
        const count = Math.min(tileSide, biases.length - first);
        for (let k = 0; k < count; k++) biases[first + k]! -= row[k]! * mean;
      }
    }
    return { weights, biases };
  }

  /** The weighted mean of the examples, less the centre. */
  #means(): Float64Array {
    const means = new Float64Array(this.#dimensions);
    for (const sums of this.#sums) for (let d = 0; d < means.length; d++) means[d]! += sums[d]! / this.#total;
    return means;
  }

  async #addBlock(pace: Pace): Promise<void> {
    const block = this.#block;
    if (block.length === 0) return;
    this.#block = [];
    const pause = pace(2 * block.length * this.#dimensions);
    if (pause) await pause;
    this.#fillPanels(block);
    const { tiles } = this.#matrix;
    const depthBytes = Math.ceil((block.length * 2) / depthStepBytes) * depthStepBytes;
    for (let i = 0; i < tiles; i++) {
      const rest = pace(((i + 1) * tileSide ** 2 * block.length) / int16Speed);
      if (rest) await rest;
      for (let j = 0; j <= i; j++) {
        this.#memory.routines.add_products(
          this.#matrix.tile(i, j),
          this.#panels + i * panelBytes,
          this.#panels + j * panelBytes,
          this.#scales + i * tileSide * 8,
          this.#scales + j * tileSide * 8,
          depthBytes,
        );
      }
    }
  }

  /**
   * Writes the block's values by feature, scaled as large as INT16 and the sums allow. The class sums are sums of the
   * rounded values, so the matrix minus the product of its means is positive semidefinite in spite of the rounding.
   */
  #fillPanels(block: readonly WeightedVector[]): void {
    const dimensions = this.#dimensions;
    const centre = this.#centre;
    const largest = new Float64Array(dimensions);
    const squares = new Float64Array(dimensions);
    for (const { vector, root } of block) {
      for (let d = 0; d < dimensions; d++) {
        const value = Math.abs(root * (vector[d]! - centre[d]!));
        squares[d]! += value * value;
        if (value > largest[d]!) largest[d] = value;
      }
    }
    const factors = new Float64Array(dimensions);
    const scales = this.#memory.float64(this.#scales, dimensions);
    for (let d = 0; d < dimensions; d++) {
      const factor = Math.min(largestInt16 / largest[d]!, largestNorm / Math.sqrt(squares[d]!));
      factors[d] = Number.isFinite(factor) ? factor : 0;
      scales[d] = factors[d]! > 0 ? 1 / factors[d]! : 0;
    }
    const panels = this.#memory.int16(this.#panels, (this.#matrix.tiles * panelBytes) / 2);
    const rowElements = panelRowBytes / 2;
    if (block.length < panelDepth) panels.fill(0);
    const nothing = { vector: new Float32Array(dimensions), root: 0, sums: new Float64Array(dimensions) };
    // Four vectors at once, because their values of a feature are neighbours in the panel.
    for (let k = 0; k < block.length; k += 4) {
      const { vector: a, root: rootA, sums: sumsA } = block[k]!;
      const { vector: b, root: rootB, sums: sumsB } = block[k + 1] ?? nothing;
      const { vector: c, root: rootC, sums: sumsC } = block[k + 2] ?? nothing;
      const { vector: d, root: rootD, sums: sumsD } = block[k + 3] ?? nothing;
      for (let f = 0, at = k; f < dimensions; f++, at += rowElements) {
        const factor = factors[f]!;
        const scale = scales[f]!;
        const middle = centre[f]!;
        const valueA = Math.floor(rootA * (a[f]! - middle) * factor + 0.5);
        const valueB = Math.floor(rootB * (b[f]! - middle) * factor + 0.5);
        const valueC = Math.floor(rootC * (c[f]! - middle) * factor + 0.5);
        const valueD = Math.floor(rootD * (d[f]! - middle) * factor + 0.5);
        panels[at] = valueA;
        panels[at + 1] = valueB;
        panels[at + 2] = valueC;
        panels[at + 3] = valueD;
        sumsA[f]! += rootA * scale * valueA;
        sumsB[f]! += rootB * scale * valueB;
        sumsC[f]! += rootC * scale * valueC;
        sumsD[f]! += rootD * scale * valueD;
      }
    }
  }
}
