import { tileSide } from './layout.ts';
import type { MatrixMemory } from './matrix-memory.ts';
import { TiledColumns } from './tiles.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/**
 * @param rows FP32, `tileSide` at most.
 * @param right with as many rows as those have values.
 * @returns FP64 (columns), one for each row: its inner products with the columns.
 */
export async function multiplyRows(
  memory: MatrixMemory,
  rows: readonly Float32Array[],
  right: TiledColumns,
): Promise<Float64Array[]> {
  return await memory.within(async () => {
    const sums = new TiledColumns(memory, tileSide, right.columns);
    const left = new TiledColumns(memory, tileSide, tileSide);
    const values = memory.float64(left.tile(0, 0), tileSide ** 2);
    for (let tile = 0; tile < right.rowTiles; tile++) {
      for (const [row, own] of rows.entries()) {
        const first = tile * tileSide;
        const count = Math.min(tileSide, own.length - first);
        // The routine subtracts.
        for (let k = 0; k < count; k++) values[row * tileSide + k] = -own[first + k]!;
        values.fill(0, row * tileSide + count, (row + 1) * tileSide);
      }
      for (let c = 0; c < right.columnTiles; c++) {
        memory.routines.subtract_product(
          sums.tile(0, c),
          left.tile(0, 0),
          right.tile(tile, c),
          right.widthOf(c),
        );
      }
    }
    return rows.map((_, row) => {
      const products = new Float64Array(right.columns);
      for (let c = 0; c < right.columnTiles; c++) {
        const first = c * tileSide;
        products.set(sums.rowOf(row, c).subarray(0, Math.min(tileSide, right.columns - first)), first);
      }
      return products;
    });
  });
}
