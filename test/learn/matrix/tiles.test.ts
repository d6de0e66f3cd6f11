import { describe, expect, it } from 'vitest';
import { panelBytes, panelDepth, tileSide } from '../../../src/learn/matrix/layout.ts';
import { MatrixMemory } from '../../../src/learn/matrix/matrix-memory.ts';
import { loadMatrixRoutines } from '../../../src/learn/matrix/matrix-routines-node.ts';
import { multiplyRows } from '../../../src/learn/matrix/multiply-rows.ts';
import { SymmetricTiles, TiledColumns } from '../../../src/learn/matrix/tiles.ts';
import { withoutPauses } from '../../../src/learn/pace.ts';
import { createRandom } from '../../toolchain/quantize/seeded-random.ts';
import { solve } from '../gauss.ts';

const module = loadMatrixRoutines();

function setSymmetric(matrix: SymmetricTiles, at: (row: number, column: number) => number): void {
  for (let row = 0; row < matrix.size; row++) {
    for (let column = 0; column <= row; column++) {
      const elements = matrix.elementsOf(Math.floor(row / tileSide), Math.floor(column / tileSide));
      elements[(row % tileSide) * tileSide + (column % tileSide)] = at(row, column);
    }
  }
}

/** Products of vectors with each other, and a little on the diagonal. */
function makeDefinite(size: number, seed: number): number[][] {
  const random = createRandom(seed).uniform;
  const vectors = Array.from({ length: size }, () => Array.from({ length: size + 3 }, () => random() - 0.5));
  return vectors.map((a, i) =>
    vectors.map((b, j) => a.reduce((sum, value, k) => sum + value * b[k]!, i === j ? 0.1 : 0)),
  );
}

describe('Cholesky by tiles', () => {
  it.each([
    [1, 1],
    [3, 2],
    [63, 9],
    [64, 64],
    [65, 65],
    [150, 3],
    [200, 130],
  ])('solves %i unknowns with %i right-hand sides as Gauss does', async (size, columns) => {
    const memory = new MatrixMemory(module);
    const a = makeDefinite(size, size);
    const random = createRandom(columns).uniform;
    const b = a.map(() => Array.from({ length: columns }, random));
    const matrix = new SymmetricTiles(memory, size);
    const right = new TiledColumns(memory, size, columns);
    setSymmetric(matrix, (row, column) => a[row]![column]!);
    for (const [row, values] of b.entries()) {
      for (const [c, value] of values.entries())
        right.rowOf(row, Math.floor(c / tileSide))[c % tileSide] = value;
    }
    expect(matrix.trace()).toBeCloseTo(
      a.reduce((sum, row, i) => sum + row[i]!, 0),
      9,
    );
    await matrix.factor(withoutPauses);
    await matrix.solveForward(right, withoutPauses);
    await matrix.solveBackward(right, withoutPauses);
    const wanted = solve(a, b);
    for (const [row, values] of wanted.entries()) {
      const own = values.map((_, c) => right.rowOf(row, Math.floor(c / tileSide))[c % tileSide]!);
      for (const [c, value] of values.entries()) expect(own[c]).toBeCloseTo(value, 8);
    }
  });

  it('refuses what is not positive definite, and names the row', async () => {
    const matrix = new SymmetricTiles(new MatrixMemory(module), 70);
    setSymmetric(matrix, (row, column) => (row === column ? (row === 66 ? -1 : 1) : 0));
    await expect(matrix.factor(withoutPauses)).rejects.toThrow('not positive definite at row 66');
  });
});

describe('products of panels', () => {
  it('are exact at the largest sums of squares that are allowed', () => {
    const memory = new MatrixMemory(module);
    const [a, scales] = [memory.allocate(panelBytes), memory.allocate(tileSide * 8)];
    const target = new TiledColumns(memory, tileSide, tileSide).tile(0, 0);
    memory.float64(scales, tileSide).fill(1);
    const panel = memory.int16(a, panelBytes / 2);
    // 512 values of 2,032: a sum of squares of 2,114,060,288, and INT32 ends at 2,147,483,647.
    for (let row = 0; row < tileSide; row++) {
      panel.fill(row % 2 === 0 ? 2032 : -2032, row * panelDepth, (row + 1) * panelDepth);
    }
    memory.routines.add_products(target, a, a, scales, scales, panelDepth * 2);
    const products = memory.float64(target, tileSide ** 2);
    for (const [at, product] of products.entries()) {
      const sign = (Math.floor(at / tileSide) + at) % 2 === 0 ? 1 : -1;
      expect(product).toBe(sign * 512 * 2032 ** 2);
    }
  });

  it('are those of BigInt, times the scales, and are added to what is there', () => {
    const memory = new MatrixMemory(module);
    const random = createRandom(2).uniform;
    const [a, b] = [memory.allocate(panelBytes), memory.allocate(panelBytes)];
    const [aScales, bScales] = [memory.allocate(tileSide * 8), memory.allocate(tileSide * 8)];
    const target = new TiledColumns(memory, tileSide, tileSide).tile(0, 0);
    for (const address of [a, b]) {
      const panel = memory.int16(address, panelBytes / 2);
      for (let k = 0; k < panel.length; k++) panel[k] = Math.round((random() - 0.5) * 5000);
    }
    for (const address of [aScales, bScales]) {
      const scales = memory.float64(address, tileSide);
      for (let k = 0; k < tileSide; k++) scales[k] = 2 ** -(k % 8);
    }
    memory.float64(target, tileSide ** 2).fill(0.5);
    const depth = 96;
    memory.routines.add_products(target, a, b, aScales, bScales, depth * 2);
    const [left, right] = [a, b].map((address) => memory.int16(address, panelBytes / 2));
    for (const [i, j] of [
      [0, 0],
      [1, 3],
      [63, 62],
      [17, 40],
    ] as const) {
      let sum = 0n;
      for (let k = 0; k < depth; k++) {
        sum += BigInt(left![i * panelDepth + k]!) * BigInt(right![j * panelDepth + k]!);
      }
      expect(memory.float64(target, tileSide ** 2)[i * tileSide + j]).toBe(
        0.5 + Number(sum) * 2 ** -((i % 8) + (j % 8)),
      );
    }
  });
});

describe('memory', () => {
  it('is given back, and comes again as 0', async () => {
    const memory = new MatrixMemory(module);
    const use = () =>
      memory.within(async () => {
        const address = memory.allocate(200_000);
        expect(memory.float64(address, 25_000).every((value) => value === 0)).toBe(true);
        memory.float64(address, 25_000).fill(7);
        return address;
      });
    expect(await use()).toBe(await use());
  });

  it('multiplies rows with columns', async () => {
    const memory = new MatrixMemory(module);
    const random = createRandom(4).uniform;
    const right = new TiledColumns(memory, 100, 70);
    const columns = Array.from({ length: 100 }, () => Array.from({ length: 70 }, random));
    for (const [row, values] of columns.entries()) {
      for (const [c, value] of values.entries())
        right.rowOf(row, Math.floor(c / tileSide))[c % tileSide] = value;
    }
    const rows = [0, 1, 2].map(() => Float32Array.from({ length: 100 }, random));
    const product = await multiplyRows(memory, rows, right);
    for (const [index, row] of rows.entries()) {
      for (const c of [0, 63, 64, 69]) {
        expect(product[index]![c]).toBeCloseTo(
          row.reduce((sum, value, k) => sum + value * columns[k]![c]!, 0),
          9,
        );
      }
    }
  });
});
