import { depthStepBytes, int16Speed, panelBytes, panelDepth, panelRowBytes, tileSide } from './layout.ts';
import type { MatrixMemory } from './matrix-memory.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** The INT16 that stands for 1. Vectors of length 1 fit, and sums of products of two of them fit into INT32. */
const unit = 32_767;

/** Vectors of length 1 as rows of INT16, for inner products of tileSide x tileSide of them at once. */
export class UnitRowPanels {
  readonly #memory: MatrixMemory;
  readonly #address: number;
  readonly #scales: number;
  readonly #depth: number;
  /** Panels side by side that make up a row. */
  readonly #chunks: number;
  readonly rowTiles: number;

  /** @param depth values of a vector. */
  constructor(memory: MatrixMemory, rows: number, depth: number) {
    this.#memory = memory;
    this.#depth = depth;
    this.#chunks = Math.ceil(depth / panelDepth);
    this.rowTiles = Math.ceil(rows / tileSide);
    this.#address = memory.allocate(UnitRowPanels.bytes(rows, depth));
    this.#scales = memory.allocate(tileSide * 8);
    memory.float64(this.#scales, tileSide).fill(1 / unit);
  }

  static bytes(rows: number, depth: number): number {
    return Math.ceil(rows / tileSide) * Math.ceil(depth / panelDepth) * panelBytes;
  }

  /** The cost of `addProducts`, as a number of products in a plain loop. */
  get cost(): number {
    return (tileSide ** 2 * this.#depth) / int16Speed;
  }

  #panel(tile: number, chunk: number): number {
    return this.#address + (tile * this.#chunks + chunk) * panelBytes;
  }

  /** @param vector FP32 (depth), of length 1 at most. */
  setRow(row: number, vector: Float32Array): void {
    for (let chunk = 0; chunk < this.#chunks; chunk++) {
      const address = this.#panel(Math.floor(row / tileSide), chunk) + (row % tileSide) * panelRowBytes;
      const out = this.#memory.int16(address, panelDepth);
      const from = chunk * panelDepth;
      const count = Math.min(panelDepth, this.#depth - from);
      for (let k = 0; k < count; k++) {
        out[k] = Math.floor(Math.max(-1, Math.min(1, vector[from + k]!)) * unit + 0.5);
      }
    }
  }

  /** Sets the rows of a tile to 0. */
  clearTile(tile: number): void {
    const bytes = this.#chunks * panelBytes;
    this.#memory.int16(this.#panel(tile, 0), bytes / 2).fill(0);
  }

  /** Adds the inner products of a tile of these rows with a tile of the other's to the tile at `target`. */
  addProducts(target: number, tile: number, other: UnitRowPanels, otherTile: number): void {
    for (let chunk = 0; chunk < this.#chunks; chunk++) {
      const count = Math.min(panelDepth, this.#depth - chunk * panelDepth);
      this.#memory.routines.add_products(
        target,
        this.#panel(tile, chunk),
        other.#panel(otherTile, chunk),
        this.#scales,
        other.#scales,
        Math.ceil((count * 2) / depthStepBytes) * depthStepBytes,
      );
    }
  }
}
