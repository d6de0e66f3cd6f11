import { block, branch, branchIf, countUp, increase, loop, set } from '../../../lib/wasm-text/control.ts';
import { type Body, i32Locals, v128Local } from '../../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../../lib/wasm-text/function.ts';
import { i32Add, i32GeS, i32LtS, i32Mul, i32Shl } from '../../../lib/wasm-text/integers.ts';
import { at, v128Load, v128Load64Splat, v128Store } from '../../../lib/wasm-text/memory.ts';
import { f64x2Div, f64x2Mul, f64x2Sub } from '../../../lib/wasm-text/vectors.ts';
import { stripBytes, stripColumns, tileRowBytes, tileSide } from '../layout.ts';

const vectors = stripBytes / 16;
const params = i32Locals('triangle', 'b', 'columns');
const [triangle, b, columns] = params;
const [column, row, other, out, from] = i32Locals('column', 'row', 'other', 'out', 'from');
const sum = (v: number) => v128Local(`sum${v}`);
const factor = v128Local('factor');
const sums = Array.from({ length: vectors }, (_, v) => sum(v));

const locals = [column, row, other, out, from, ...sums, factor];
const stripOf = (index: typeof row) => i32Add(i32Add(b, i32Mul(index, tileRowBytes)), i32Shl(column, 3));
/** The element of the triangle in a row and a column of it. */
const element = (i: typeof row, j: typeof row) =>
  i32Add(i32Add(triangle, i32Mul(i, tileRowBytes)), i32Shl(j, 3));

const loadRow: Body = [set(out, stripOf(row)), sums.map((each, v) => set(each, v128Load(at(out, v * 16))))];
/** Subtracts the part of row `other`, which is solved already, from row `row`. */
const subtractOther = (isLower: boolean): Body => [
  set(factor, v128Load64Splat(isLower ? element(row, other) : element(other, row))),
  set(from, stripOf(other)),
  sums.map((each, v) => set(each, f64x2Sub(each, f64x2Mul(factor, v128Load(at(from, v * 16)))))),
];
const storeRow: Body = [
  set(factor, v128Load64Splat(element(row, row))),
  sums.map((each, v) => v128Store(at(out, v * 16), f64x2Div(each, factor))),
];

/** B becomes L^-1 B, where L is the lower triangle of a tile. */
export const solveLower = wasmFunction({
  name: 'solve_lower',
  exported: true,
  params,
  locals,
  body: countUp(column, columns, stripColumns, [
    countUp(row, tileSide, 1, [loadRow, countUp(other, row, 1, subtractOther(true)), storeRow]),
  ]),
});

/** B becomes L^-T B. */
export const solveLowerTransposed = wasmFunction({
  name: 'solve_lower_transposed',
  exported: true,
  params,
  locals,
  body: countUp(column, columns, stripColumns, [
    set(row, tileSide - 1),
    block('all_rows', (end) =>
      loop('row_above', (next) => [
        branchIf(end, i32LtS(row, 0)),
        loadRow,
        set(other, i32Add(row, 1)),
        block('all_others', (last) =>
          loop('next_other', (nextOther) => [
            branchIf(last, i32GeS(other, tileSide)),
            subtractOther(false),
            increase(other, 1),
            branch(nextOther),
          ]),
        ),
        storeRow,
        increase(row, -1),
        branch(next),
      ]),
    ),
  ]),
});
