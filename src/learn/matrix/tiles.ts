import type { Pace } from '../pace.ts';
import { stripColumns, tileBytes, tileSide } from './layout.ts';
import type { MatrixMemory } from './matrix-memory.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

const tileElements = tileSide ** 2;
/** Products of FP64 that the routines make in the time that a plain loop takes for one. */
const speed = 8;
const tileProducts = tileSide ** 3 / speed;

/** A matrix of FP64 with as many rows as there are unknowns, and a few columns, in tiles: a right-hand side. */
export class TiledColumns {
  readonly #memory: MatrixMemory;
  readonly #address: number;
  readonly rowTiles: number;
  readonly columnTiles: number;
  readonly columns: number;

  constructor(memory: MatrixMemory, rows: number, columns: number) {
    this.#memory = memory;
    this.columns = columns;
    this.rowTiles = Math.ceil(rows / tileSide);
    this.columnTiles = Math.ceil(columns / tileSide);
    this.#address = memory.allocate(this.rowTiles * this.columnTiles * tileBytes);
  }

  /** @returns the address of a tile. */
  tile(row: number, column: number): number {
    return this.#address + (row * this.columnTiles + column) * tileBytes;
  }

  /** @returns the columns of a tile that the routines have to compute. */
  widthOf(column: number): number {
    const left = Math.min(tileSide, this.columns - column * tileSide);
    return Math.ceil(left / stripColumns) * stripColumns;
  }

  /** @returns a row's elements of one tile, `tileSide` of them: a view that is good until the next allocation. */
  rowOf(row: number, columnTile: number): Float64Array {
    const address = this.tile(Math.floor(row / tileSide), columnTile) + (row % tileSide) * tileSide * 8;
    return this.#memory.float64(address, tileSide);
  }
}

/** A symmetric matrix of FP64: the tiles of its lower triangle. Rows that pad the last tile are those of the identity. */
export class SymmetricTiles {
  readonly #memory: MatrixMemory;
  readonly #address: number;
  /** Rows and columns. */
  readonly size: number;
  readonly tiles: number;

  constructor(memory: MatrixMemory, size: number) {
    this.#memory = memory;
    this.size = size;
    this.tiles = Math.ceil(size / tileSide);
    this.#address = memory.allocate(this.#bytes);
    const last = this.elementsOf(this.tiles - 1, this.tiles - 1);
    for (let i = size; i < this.tiles * tileSide; i++) last[(i % tileSide) * (tileSide + 1)] = 1;
  }

  get #bytes(): number {
    return ((this.tiles * (this.tiles + 1)) / 2) * tileBytes;
  }

  /** @returns the address of a tile, column <= row. Only the lower triangle of a diagonal tile is used. */
  tile(row: number, column: number): number {
    return this.#address + ((row * (row + 1)) / 2 + column) * tileBytes;
  }

  elementsOf(row: number, column: number): Float64Array {
    return this.#memory.float64(this.tile(row, column), tileElements);
  }

  copyFrom(other: SymmetricTiles): void {
    const count = this.#bytes / 8;
    this.#memory.float64(this.#address, count).set(this.#memory.float64(other.#address, count));
  }

  /** Adds `value` to each element of the diagonal. */
  addToDiagonal(value: number): void {
    for (let i = 0; i < this.size; i++) {
      const tile = Math.floor(i / tileSide);
      this.elementsOf(tile, tile)[(i % tileSide) * (tileSide + 1)]! += value;
    }
  }

  trace(): number {
    let sum = 0;
    for (let i = 0; i < this.size; i++) {
      const tile = Math.floor(i / tileSide);
      sum += this.elementsOf(tile, tile)[(i % tileSide) * (tileSide + 1)]!;
    }
    return sum;
  }

  /** Subtracts factor v v^T. */
  subtractOuter(vector: Float64Array, factor: number): void {
    for (let row = 0; row < this.size; row++) {
      const own = factor * vector[row]!;
      for (let tile = 0; tile <= Math.floor(row / tileSide); tile++) {
        const elements = this.elementsOf(Math.floor(row / tileSide), tile);
        const from = (row % tileSide) * tileSide;
        const count = Math.min(tileSide, this.size - tile * tileSide);
        for (let k = 0; k < count; k++) elements[from + k]! -= own * vector[tile * tileSide + k]!;
      }
    }
  }

  /**
   * Cholesky decomposition: replaces the matrix by L, where L L^T is the matrix.
   *
   * @throws {RangeError} if the matrix is not positive definite.
   */
  async factor(pace: Pace): Promise<void> {
    const memory = this.#memory;
    const { routines } = memory;
    await memory.within(async () => {
      const transposed = memory.allocate(this.tiles * tileBytes);
      const transposedTile = (tile: number) => transposed + tile * tileBytes;
      for (let k = 0; k < this.tiles; k++) {
        factorTile(this.elementsOf(k, k), k * tileSide);
        for (let i = k + 1; i < this.tiles; i++) {
          const own = memory.float64(transposedTile(i), tileElements);
          transpose(this.elementsOf(i, k), own);
          routines.solve_lower(this.tile(k, k), transposedTile(i), tileSide);
          transpose(own, this.elementsOf(i, k));
        }
        for (let i = k + 1; i < this.tiles; i++) {
          const pause = pace((i - k) * tileProducts);
          if (pause) await pause;
          for (let j = k + 1; j <= i; j++) {
            routines.subtract_product(this.tile(i, j), this.tile(i, k), transposedTile(j), tileSide);
          }
        }
      }
    });
  }

  /** After `factor`: B becomes L^-1 B. */
  async solveForward(right: TiledColumns, pace: Pace): Promise<void> {
    const { routines } = this.#memory;
    for (let c = 0; c < right.columnTiles; c++) {
      const width = right.widthOf(c);
      for (let i = 0; i < this.tiles; i++) {
        const pause = pace((i + 1) * tileSide ** 2 * (width / speed));
        if (pause) await pause;
        for (let k = 0; k < i; k++) {
          routines.subtract_product(right.tile(i, c), this.tile(i, k), right.tile(k, c), width);
        }
        routines.solve_lower(this.tile(i, i), right.tile(i, c), width);
      }
    }
  }

  /** After `factor`: B becomes L^-T B. */
  async solveBackward(right: TiledColumns, pace: Pace): Promise<void> {
    const { routines } = this.#memory;
    for (let c = 0; c < right.columnTiles; c++) {
      const width = right.widthOf(c);
      for (let i = this.tiles - 1; i >= 0; i--) {
        const pause = pace((this.tiles - i) * tileSide ** 2 * (width / speed));
        if (pause) await pause;
        for (let k = i + 1; k < this.tiles; k++) {
          routines.subtract_transposed_product(right.tile(i, c), this.tile(k, i), right.tile(k, c), width);
        }
        routines.solve_lower_transposed(this.tile(i, i), right.tile(i, c), width);
      }
    }
  }
}

/** @param firstRow the tile's first row in its matrix, for the error message. */
function factorTile(tile: Float64Array, firstRow: number): void {
  for (let i = 0; i < tileSide; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = tile[i * tileSide + j]!;
      for (let k = 0; k < j; k++) sum -= tile[i * tileSide + k]! * tile[j * tileSide + k]!;
      if (i > j) tile[i * tileSide + j] = sum / tile[j * tileSide + j]!;
      else if (sum > 0) tile[i * tileSide + i] = Math.sqrt(sum);
      else throw new RangeError(`The matrix is not positive definite at row ${firstRow + i}.`);
    }
  }
}

function transpose(from: Float64Array, to: Float64Array): void {
  for (let i = 0; i < tileSide; i++) {
    for (let j = 0; j < tileSide; j++) to[j * tileSide + i] = from[i * tileSide + j]!;
  }
}
