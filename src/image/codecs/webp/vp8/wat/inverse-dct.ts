import { set } from '../../../../../lib/wasm-text/control.ts';
import { i32Locals, type V128, v128Locals } from '../../../../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../../../../lib/wasm-text/function.ts';
import { i32Add, i32ShrS } from '../../../../../lib/wasm-text/integers.ts';
import {
  at,
  i32Load16S,
  v128Load16x4S,
  v128Load32Lane,
  v128Load32Zero,
  v128Store32Lane,
} from '../../../../../lib/wasm-text/memory.ts';
import {
  i8x16NarrowI16x8U,
  i8x16Shuffle,
  i16x8AddSatS,
  i16x8ExtendLowI8x16U,
  i16x8NarrowI32x4S,
  i16x8Splat,
  i32x4Add,
  i32x4Const,
  i32x4Mul,
  i32x4ShrS,
  i32x4Sub,
  shuffleLanes32,
} from '../../../../../lib/wasm-text/vectors.ts';
import { cosineMinusOne, sine } from '../inverse-transforms.ts';
import { workspaceStride } from '../workspace.ts';

const [coefficients, samples] = i32Locals('coefficients', 'samples');
const r = v128Locals('r0', 'r1', 'r2', 'r3');
const t = v128Locals('t0', 't1', 't2', 't3');
const [a, b, c, d] = v128Locals('a', 'b', 'c', 'd');

const timesCosine = (x: V128) => i32x4Add(i32x4ShrS(i32x4Mul(x, i32x4Const(cosineMinusOne)), 16), x);
const timesSine = (x: V128) => i32x4ShrS(i32x4Mul(x, i32x4Const(sine)), 16);

/** One pass over `r`, four columns or rows at once, into `t`. */
const pass = [
  set(a, i32x4Add(r[0], r[2])),
  set(b, i32x4Sub(r[0], r[2])),
  set(c, i32x4Sub(timesSine(r[1]), timesCosine(r[3]))),
  set(d, i32x4Add(timesCosine(r[1]), timesSine(r[3]))),
  set(t[0], i32x4Add(a, d)),
  set(t[1], i32x4Add(b, c)),
  set(t[2], i32x4Sub(b, c)),
  set(t[3], i32x4Sub(a, d)),
];

/** `t` transposed into `r`. */
const transpose = [
  set(a, shuffleLanes32([0, 4, 1, 5], t[0], t[1])),
  set(b, shuffleLanes32([0, 4, 1, 5], t[2], t[3])),
  set(c, shuffleLanes32([2, 6, 3, 7], t[0], t[1])),
  set(d, shuffleLanes32([2, 6, 3, 7], t[2], t[3])),
  set(r[0], shuffleLanes32([0, 1, 4, 5], a, b)),
  set(r[1], shuffleLanes32([2, 3, 6, 7], a, b)),
  set(r[2], shuffleLanes32([0, 1, 4, 5], c, d)),
  set(r[3], shuffleLanes32([2, 3, 6, 7], c, d)),
];

/** Two rows of four samples as 16 bits. */
const loadRows = (first: number) =>
  i16x8ExtendLowI8x16U(
    v128Load32Lane(
      1,
      at(samples, (first + 1) * workspaceStride),
      v128Load32Zero(at(samples, first * workspaceStride)),
    ),
  );
/** Adds `upper` and `lower`, two rows each, to the samples. */
const addRows = (upper: V128, lower: V128) => [
  set(c, i8x16NarrowI16x8U(i16x8AddSatS(loadRows(0), upper), i16x8AddSatS(loadRows(2), lower))),
  [0, 1, 2, 3].map((row) => v128Store32Lane(row, at(samples, row * workspaceStride), c)),
];

/** By row, a number of 16 bits from each of four columns, of which two are in each vector. */
const rowOf = (row: number) =>
  [row * 2, 8 + row * 2, 16 + row * 2, 24 + row * 2].flatMap((byte) => [byte, byte + 1]);

/** `addInverseDct` of inverse-transforms.ts. */
export const addInverseDct = wasmFunction({
  name: 'vp8_add_inverse_dct',
  params: [coefficients, samples],
  locals: [...r, ...t, a, b, c, d],
  body: [
    r.map((row, i) => set(row, v128Load16x4S(at(coefficients, 8 * i)))),
    pass,
    transpose,
    set(r[0], i32x4Add(r[0], i32x4Const(4))),
    pass,
    set(a, i16x8NarrowI32x4S(i32x4ShrS(t[0], 3), i32x4ShrS(t[1], 3))),
    set(b, i16x8NarrowI32x4S(i32x4ShrS(t[2], 3), i32x4ShrS(t[3], 3))),
    addRows(i8x16Shuffle([...rowOf(0), ...rowOf(1)], a, b), i8x16Shuffle([...rowOf(2), ...rowOf(3)], a, b)),
  ],
});

/** `addDc` of inverse-transforms.ts. */
export const addDc = wasmFunction({
  name: 'vp8_add_dc',
  params: [coefficients, samples],
  locals: [a, c],
  body: [set(a, i16x8Splat(i32ShrS(i32Add(i32Load16S(coefficients), 4), 3))), addRows(a, a)],
});
