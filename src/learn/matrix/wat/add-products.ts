import { branchIf, countUp, increase, loop, repeat, set } from '../../../lib/wasm-text/control.ts';
import { type Body, i32Locals, type V128, v128Local } from '../../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../../lib/wasm-text/function.ts';
import { i32Add, i32LtS, i32Mul, i32Shl } from '../../../lib/wasm-text/integers.ts';
import { at, v128Load, v128Load64Splat, v128Store } from '../../../lib/wasm-text/memory.ts';
import {
  f64x2Add,
  f64x2ConvertLowI32x4S,
  f64x2Mul,
  i32x4Add,
  i32x4Const,
  i32x4DotI16x8S,
  shuffleLanes32,
} from '../../../lib/wasm-text/vectors.ts';
import { depthStepBytes, panelRowBytes, tileRowBytes, tileSide } from '../layout.ts';

const rows = 2;
const columns = 4;

const params = i32Locals('target', 'a', 'b', 'aScales', 'bScales', 'depthBytes');
const [target, a, b, aScales, bScales, depthBytes] = params;
const [row, column, aRow, bRow, aAt, bAt, end, out] = i32Locals(
  'row',
  'column',
  'aRow',
  'bRow',
  'aAt',
  'bAt',
  'end',
  'out',
);
const sum = (i: number, j: number) => v128Local(`sum${i}_${j}`);
const fromA = (i: number) => v128Local(`fromA${i}`);
const fromB = v128Local('fromB');
const four = v128Local('four');
const sums = repeat2((i, j) => sum(i, j));

function repeat2<T>(make: (i: number, j: number) => T): T[] {
  return Array.from({ length: rows * columns }, (_, index) =>
    make(Math.floor(index / columns), index % columns),
  );
}

/** The sums of the lanes of four vectors, as four lanes. */
function addLanes([s0, s1, s2, s3]: readonly V128[]): V128 {
  const pairs = (x: V128, y: V128) =>
    i32x4Add(shuffleLanes32([0, 2, 4, 6], x, y), shuffleLanes32([1, 3, 5, 7], x, y));
  return pairs(pairs(s0!, s1!), pairs(s2!, s3!));
}

/** Multiplies sixteen bytes of each row with those of each column. */
const step = (offset: number): Body => [
  repeat(rows, (i) => set(fromA(i), v128Load(at(aAt, offset + i * panelRowBytes)))),
  repeat(columns, (j) => [
    set(fromB, v128Load(at(bAt, offset + j * panelRowBytes))),
    repeat(rows, (i) => set(sum(i, j), i32x4Add(sum(i, j), i32x4DotI16x8S(fromA(i), fromB)))),
  ]),
];
const steps: Body = [
  repeat(depthStepBytes / 16, (index) => step(index * 16)),
  increase(aAt, depthStepBytes),
  increase(bAt, depthStepBytes),
];

/** Adds a row's four sums to the target, each times the scales of its row and its column. */
const addRow = (i: number): Body => [
  set(four, addLanes([0, 1, 2, 3].map((j) => sum(i, j)))),
  [0, 1].map((half): Body => {
    const place = at(out, i * tileRowBytes + half * 16);
    const two = half === 0 ? four : shuffleLanes32([2, 3, 2, 3], four, four);
    const scale = f64x2Mul(
      v128Load64Splat(at(i32Add(aScales, i32Shl(row, 3)), i * 8)),
      v128Load(at(i32Add(bScales, i32Shl(column, 3)), half * 16)),
    );
    return v128Store(place, f64x2Add(v128Load(place), f64x2Mul(f64x2ConvertLowI32x4S(two), scale)));
  }),
];

/**
 * `target` += A B^T, where A and B are panels of INT16 times a scale for each row. The sums are INT32; the caller makes
 * sure that they do not overflow. It reads `depthBytes` of each row, a multiple of `depthStepBytes`.
 */
export const addProducts = wasmFunction({
  name: 'add_products',
  exported: true,
  params,
  locals: [row, column, aRow, bRow, aAt, bAt, end, out, ...sums, ...repeatA(), fromB, four],
  body: countUp(row, tileSide, rows, [
    set(aRow, i32Add(a, i32Mul(row, panelRowBytes))),
    countUp(column, tileSide, columns, [
      set(bRow, i32Add(b, i32Mul(column, panelRowBytes))),
      sums.map((each) => set(each, i32x4Const(0))),
      set(aAt, aRow),
      set(bAt, bRow),
      set(end, i32Add(aRow, depthBytes)),
      loop('deeper', (deeper) => [steps, branchIf(deeper, i32LtS(aAt, end))]),
      set(out, i32Add(target, i32Add(i32Mul(row, tileRowBytes), i32Shl(column, 3)))),
      repeat(rows, addRow),
    ]),
  ]),
});

function repeatA() {
  return Array.from({ length: rows }, (_, i) => fromA(i));
}
