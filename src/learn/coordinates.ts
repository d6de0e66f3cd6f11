import { panelDepth, tileSide } from './matrix/layout.ts';
import type { MatrixMemory } from './matrix/matrix-memory.ts';
import { UnitRowPanels } from './matrix/panels.ts';
import { SymmetricTiles, TiledColumns } from './matrix/tiles.ts';
import type { Pace } from './pace.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** Added to each landmark's squared length of 1, so that copies among them do no harm. */
const jitter = 1e-6;

/**
 * The space that some vectors, the landmarks, span, with orthonormal axes. A vector has as many coordinates in it as there
 * are landmarks, which replace its features. Inner products of landmarks do not change; those of other vectors lose the
 * part outside of the space (Williams and Seeger 2001, the Nyström method).
 */
export class LandmarkSpace {
  readonly #memory: MatrixMemory;
  readonly #landmarks: UnitRowPanels;
  readonly #block: UnitRowPanels;
  readonly #products: TiledColumns;
  /** L, where L L^T is the matrix of the landmarks' inner products. */
  readonly #factor: SymmetricTiles;
  readonly #features: number;

  private constructor(memory: MatrixMemory, landmarks: readonly Float32Array[]) {
    this.#memory = memory;
    this.#features = landmarks[0]!.length;
    this.#factor = new SymmetricTiles(memory, landmarks.length);
    this.#landmarks = new UnitRowPanels(memory, landmarks.length, this.#features);
    this.#block = new UnitRowPanels(memory, tileSide, this.#features);
    this.#products = new TiledColumns(memory, landmarks.length, tileSide);
    for (const [row, vector] of landmarks.entries()) this.#landmarks.setRow(row, vector);
  }

  /**
   * Its memory lasts as long as the `within` around it.
   *
   * @param landmarks FP32 (features), of length 1.
   */
  static async open(
    memory: MatrixMemory,
    landmarks: readonly Float32Array[],
    pace: Pace,
  ): Promise<LandmarkSpace> {
    const space = new LandmarkSpace(memory, landmarks);
    const factor = space.#factor;
    for (let i = 0; i < factor.tiles; i++) {
      for (let j = 0; j <= i; j++) {
        const pause = pace(space.#landmarks.cost);
        if (pause) await pause;
        space.#landmarks.addProducts(factor.tile(i, j), i, space.#landmarks, j);
      }
    }
    factor.addToDiagonal(jitter);
    await factor.factor(pace);
    return space;
  }

  /** @returns how many landmarks with `features` features fit in `bytes`; a multiple of `tileSide`. */
  static landmarksWithin(bytes: number, features: number): number {
    const rowBytes = Math.ceil(features / panelDepth) * panelDepth * 2;
    return Math.max(tileSide, Math.floor(bytes / rowBytes / tileSide) * tileSide);
  }

  /** Coordinates of a vector. */
  get dimensions(): number {
    return this.#factor.size;
  }

  /** @returns FP32 (dimensions): the coordinates of a landmark. */
  landmark(index: number): Float32Array {
    const own = new Float32Array(this.dimensions);
    const tile = Math.floor(index / tileSide);
    for (let column = 0; column <= tile; column++) {
      const from = (index % tileSide) * tileSide;
      const first = column * tileSide;
      const count = Math.min(tileSide, index + 1 - first);
      own.set(this.#factor.elementsOf(tile, column).subarray(from, from + count), first);
    }
    return own;
  }

  /**
   * @param vectors FP32 (features), of length 1, `tileSide` at most.
   * @returns FP32 (dimensions), one a vector.
   */
  async project(vectors: readonly Float32Array[], pace: Pace): Promise<Float32Array[]> {
    const products = this.#products;
    this.#block.clearTile(0);
    for (const [row, vector] of vectors.entries()) this.#block.setRow(row, vector);
    for (let tile = 0; tile < products.rowTiles; tile++) {
      const pause = pace(this.#landmarks.cost);
      if (pause) await pause;
      const target = products.tile(tile, 0);
      this.#memory.float64(target, tileSide ** 2).fill(0);
      this.#landmarks.addProducts(target, tile, this.#block, 0);
    }
    await this.#factor.solveForward(products, pace);
    const rows = vectors.map(() => new Float32Array(this.dimensions));
    for (let tile = 0; tile < products.rowTiles; tile++) {
      const values = this.#memory.float64(products.tile(tile, 0), tileSide ** 2);
      const first = tile * tileSide;
      const count = Math.min(tileSide, this.dimensions - first);
      for (const [index, row] of rows.entries()) {
        for (let d = 0; d < count; d++) row[first + d] = values[d * tileSide + index]!;
      }
    }
    return rows;
  }

  /**
   * Turns weights of coordinates, a, into weights of landmarks, b: a . project(x) = b . (inner products of x with the
   * landmarks).
   *
   * @param columns a, (dimensions, columns); becomes b.
   */
  async toLandmarkWeights(columns: TiledColumns, pace: Pace): Promise<void> {
    await this.#factor.solveBackward(columns, pace);
  }
}
