import { branchIf, countUp, increase, loop, repeat, set } from '../../../lib/wasm-text/control.ts';
import { type Body, i32Locals, v128Local } from '../../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../../lib/wasm-text/function.ts';
import { i32Add, i32LtS, i32Mul, i32Shl } from '../../../lib/wasm-text/integers.ts';
import { at, v128Load, v128Load64Splat, v128Store } from '../../../lib/wasm-text/memory.ts';
import { f64x2Mul, f64x2Sub } from '../../../lib/wasm-text/vectors.ts';
import { stripBytes, stripColumns, tileBytes, tileRowBytes, tileSide } from '../layout.ts';

const rows = 2;
const vectors = stripBytes / 16;
/** Terms of the unrolled loop. */
const unrolled = 4;

const params = i32Locals('target', 'a', 'b', 'columns');
const [target, a, b, columns] = params;
const [row, column, aAt, bAt, end, out] = i32Locals('row', 'column', 'aAt', 'bAt', 'end', 'out');
const sum = (i: number, v: number) => v128Local(`sum${i}_${v}`);
const factor = (i: number) => v128Local(`factor${i}`);
const fromB = v128Local('fromB');
const everySum = Array.from({ length: rows * vectors }, (_, k) => sum(Math.floor(k / vectors), k % vectors));
const place = (i: number, v: number) => at(out, i * tileRowBytes + v * 16);

/** @param transposed whether A is read column by column. */
function subtract(name: string, transposed: boolean) {
  const [rowStep, termStep] = transposed ? [8, tileRowBytes] : [tileRowBytes, 8];
  const term = (k: number): Body => [
    repeat(rows, (i) => set(factor(i), v128Load64Splat(at(aAt, i * rowStep + k * termStep)))),
    repeat(vectors, (v) => [
      set(fromB, v128Load(at(bAt, k * tileRowBytes + v * 16))),
      repeat(rows, (i) => set(sum(i, v), f64x2Sub(sum(i, v), f64x2Mul(factor(i), fromB)))),
    ]),
  ];
  return wasmFunction({
    name,
    exported: true,
    params,
    locals: [row, column, aAt, bAt, end, out, ...everySum, factor(0), factor(1), fromB],
    body: countUp(column, columns, stripColumns, [
      countUp(row, tileSide, rows, [
        set(out, i32Add(target, i32Add(i32Mul(row, tileRowBytes), i32Shl(column, 3)))),
        everySum.map((each, k) => set(each, v128Load(place(Math.floor(k / vectors), k % vectors)))),
        set(aAt, i32Add(a, i32Mul(row, rowStep))),
        set(bAt, i32Add(b, i32Shl(column, 3))),
        set(end, i32Add(bAt, tileBytes)),
        loop('next_terms', (next) => [
          repeat(unrolled, term),
          increase(aAt, unrolled * termStep),
          increase(bAt, unrolled * tileRowBytes),
          branchIf(next, i32LtS(bAt, end)),
        ]),
        everySum.map((each, k) => v128Store(place(Math.floor(k / vectors), k % vectors), each)),
      ]),
    ]),
  });
}

/** `target` -= A B for tiles. The number of columns is a multiple of `stripColumns`. */
export const subtractProduct = subtract('subtract_product', false);
/** `target` -= A^T B. */
export const subtractTransposedProduct = subtract('subtract_transposed_product', true);
