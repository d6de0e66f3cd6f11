import { tileSide } from './layout.ts';
import type { MatrixMemory } from './matrix-memory.ts';
import { TiledColumns } from './tiles.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/**
 * @param rows FP32, `tileSide` at most.
 * @param right with as many rows as those have values.
 * @returns gives the product of a row with a column.
 */
export async function multiplyRows(
  memory: MatrixMemory,
  rows: readonly Float32Array[],
  right: TiledColumns,
): Promise<(row: number, column: number) => number> {
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
    const products = Array.from({ length: right.columnTiles }, (_, c) =>
      memory.float64(sums.tile(0, c), tileSide ** 2).slice(),
    );
    return (row, column) => products[Math.floor(column / tileSide)]![row * tileSide + (column % tileSide)]!;
  });
}
