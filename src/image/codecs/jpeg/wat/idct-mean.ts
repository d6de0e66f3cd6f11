import { increase, repeat, select, set } from '../../../../lib/wasm-text/control.ts';
import { type I32, i32Locals, type V128, v128Locals } from '../../../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../../../lib/wasm-text/function.ts';
import { i32Add, i32GtS, i32LtS, i32Mul, i32ShrS, i32Sub } from '../../../../lib/wasm-text/integers.ts';
import {
  at,
  i32Load16S,
  i32Store8,
  i64Store,
  v128Load16x4S,
  v128Store32Lane,
} from '../../../../lib/wasm-text/memory.ts';
import {
  i8x16NarrowI16x8U,
  i8x16Shuffle,
  i16x8NarrowI32x4S,
  i32x4Add,
  i32x4Const,
  i32x4Mul,
  i32x4ShrS,
  i32x4Sub,
  shuffleLanes32,
} from '../../../../lib/wasm-text/vectors.ts';
import { meanWeights, pass1Half, pass1Shift, pass2Bias, pass2Shift } from '../idct-scaled.ts';

const { dc, outer, inner, half } = meanWeights;
const [block, out, stride] = i32Locals('block', 'out', 'stride');
const coefficients = v128Locals('d0', 'd1', 'd2', 'd3');
const [d0, d1, d2, d3] = coefficients;
const means = v128Locals('m0', 'm1', 'm2', 'm3');
const [m0, m1, m2, m3] = means;
const [flat, even, odd] = v128Locals('flat', 'even', 'odd');

const weighted = (values: V128, weight: number) => i32x4Mul(values, i32x4Const(weight));

/** Zeroes the first four coefficients of `rows` rows: a mean keeps no others. */
const clearRows = (rows: number) => repeat(rows, (row) => i64Store(at(block, row * 16), 0n));

/** Means of `d0` to `d3` into `m0` to `m3`, of four columns or rows at once. */
const toMeans = (bias: number, shift: number) => {
  const outputs = (first: typeof m0, last: typeof m0, weights: typeof outer | typeof inner) => [
    set(even, i32x4Add(flat, weighted(d2, weights[2]))),
    set(odd, i32x4Add(weighted(d1, weights[1]), weighted(d3, weights[3]))),
    set(first, i32x4ShrS(i32x4Add(even, odd), shift)),
    set(last, i32x4ShrS(i32x4Sub(even, odd), shift)),
  ];
  return [
    set(flat, i32x4Add(weighted(d0, dc), i32x4Const(bias))),
    outputs(m0, m3, outer),
    outputs(m1, m2, inner),
  ];
};

/** `m0` to `m3` transposed into `d0` to `d3`. */
const transpose = [
  set(even, shuffleLanes32([0, 4, 1, 5], m0, m1)),
  set(odd, shuffleLanes32([0, 4, 1, 5], m2, m3)),
  set(d0, shuffleLanes32([0, 1, 4, 5], even, odd)),
  set(d1, shuffleLanes32([2, 3, 6, 7], even, odd)),
  set(even, shuffleLanes32([2, 6, 3, 7], m0, m1)),
  set(odd, shuffleLanes32([2, 6, 3, 7], m2, m3)),
  set(d2, shuffleLanes32([0, 1, 4, 5], even, odd)),
  set(d3, shuffleLanes32([2, 3, 6, 7], even, odd)),
];

/** Lane 0 of four vectors, then lane 1 of all. */
const byRow = [0, 1, 2, 3].flatMap((row) => [0, 4, 8, 12].map((column) => column + row));

/**
 * Turns an 8 x 8 block of 64 i16 coefficients into 4 x 4 samples, and zeroes the coefficients that it reads: `idct4` of
 * src/image/codecs/jpeg/idct-scaled.ts on four columns, then on four rows, at once.
 */
export const idct4 = wasmFunction({
  name: 'idct_4',
  exported: true,
  params: [block, out, stride],
  locals: [...coefficients, ...means, flat, even, odd],
  body: [
    coefficients.map((vector, row) => set(vector, v128Load16x4S(at(block, row * 16)))),
    clearRows(5),
    toMeans(pass1Half, pass1Shift),
    transpose,
    toMeans(pass2Bias, pass2Shift),
    set(m0, i8x16NarrowI16x8U(i16x8NarrowI32x4S(m0, m1), i16x8NarrowI32x4S(m2, m3))),
    set(m0, i8x16Shuffle(byRow, m0, m0)),
    repeat(4, (row) => [v128Store32Lane(row, out, m0), row < 3 ? increase(out, stride) : []]),
  ],
});

const [rowEven, rowOdd, value, even0, odd0, even1, odd1] = i32Locals(
  'even',
  'odd',
  'value',
  'even0',
  'odd0',
  'even1',
  'odd1',
);
const coefficient = (row: number, column: number) => i32Load16S(at(block, (row * 8 + column) * 2));

/** Two samples of a row: `combine` adds the columns for the upper row, and subtracts them for the lower. */
const twoSamples = (combine: (a: I32, b: I32) => I32) => {
  const storeSample = (offset: number, sum: I32) => [
    set(value, i32ShrS(sum, pass2Shift)),
    set(value, select(0, value, i32LtS(value, 0))),
    set(value, select(255, value, i32GtS(value, 255))),
    i32Store8(at(out, offset), value),
  ];
  return [
    set(rowEven, i32Add(i32Mul(i32ShrS(combine(even0, odd0), pass1Shift), dc), pass2Bias)),
    set(rowOdd, i32Mul(i32ShrS(combine(even1, odd1), pass1Shift), half)),
    storeSample(0, i32Add(rowEven, rowOdd)),
    storeSample(1, i32Sub(rowEven, rowOdd)),
  ];
};

/** The same with 2 x 2 samples: `idct2` of idct-scaled.ts. */
export const idct2 = wasmFunction({
  name: 'idct_2',
  exported: true,
  params: [block, out, stride],
  locals: [rowEven, rowOdd, value, even0, odd0, even1, odd1],
  body: [
    set(even0, i32Add(i32Mul(coefficient(0, 0), dc), pass1Half)),
    set(odd0, i32Mul(coefficient(1, 0), half)),
    set(even1, i32Add(i32Mul(coefficient(0, 1), dc), pass1Half)),
    set(odd1, i32Mul(coefficient(1, 1), half)),
    clearRows(3),
    twoSamples(i32Add),
    increase(out, stride),
    twoSamples(i32Sub),
  ],
});
