import { set, when } from '../../../../../lib/wasm-text/control.ts';
import { type Body, i32Locals, type V128, v128Locals } from '../../../../../lib/wasm-text/expression.ts';
import {
  i8x16Add,
  i8x16AddSatS,
  i8x16AddSatU,
  i8x16Const,
  i8x16LeU,
  i8x16MaxU,
  i8x16NarrowI16x8S,
  i8x16ShrS,
  i8x16ShrU,
  i8x16Splat,
  i8x16SubSatS,
  i8x16SubSatU,
  i16x8Add,
  i16x8Const,
  i16x8ExtendHighI8x16S,
  i16x8ExtendLowI8x16S,
  i16x8Mul,
  i16x8ShrS,
  v128And,
  v128Andnot,
  v128AnyTrue,
  v128Or,
  v128Xor,
} from '../../../../../lib/wasm-text/vectors.ts';

/** `FilterLimits` of loop-filter.ts; `edge` is half of the edge's. `outer` is 1 between macroblocks, else 0. */
export const limits = i32Locals('edge', 'interior', 'high_variance', 'outer');
const [edge, interior, highVariance, outer] = limits;

/** 16 samples of each line along the edge: before it p3 to p0, behind it q0 to q3. */
export const lines = v128Locals('p3', 'p2', 'p1', 'p0', 'q0', 'q1', 'q2', 'q3');
const [p3, p2, p1, p0, q0, q1, q2, q3] = lines;
const work = v128Locals('mask', 'flat', 'delta', 'a1', 'a2', 'low', 'high', 'low_sum', 'high_sum');
const [mask, flat, delta, a1, a2, low, high, lowSum, highSum] = work;
export const edgeLocals = [...lines, ...work];

const difference = (a: V128, b: V128) => v128Or(i8x16SubSatU(a, b), i8x16SubSatU(b, a));
const atMost = (a: V128, limit: (typeof limits)[number]) => i8x16LeU(a, i8x16Splat(limit));
const flipSign = (line: typeof p0) => set(line, v128Xor(line, i8x16Const(-128)));
const add = (line: typeof p0, a: V128) => set(line, i8x16AddSatS(line, a));
const subtract = (line: typeof p0, a: V128) => set(line, i8x16SubSatS(line, a));
const eighth = (a: V128, rounding: number) => i8x16ShrS(i8x16AddSatS(a, i8x16Const(rounding)), 3);

/** Where the edge is filtered (`mask`), and where the samples next to it are alike (`flat`). */
const findEdges: Body = [
  set(flat, i8x16MaxU(difference(p1, p0), difference(q1, q0))),
  set(
    mask,
    [difference(p3, p2), difference(p2, p1), difference(q3, q2), difference(q2, q1)].reduce(
      (most, next) => i8x16MaxU(most, next),
      flat as V128,
    ),
  ),
  set(delta, difference(p0, q0)),
  set(
    mask,
    v128And(
      atMost(mask, interior),
      // Halved on both sides: the sum fits in a byte, or is above every limit.
      atMost(i8x16AddSatU(i8x16AddSatU(delta, delta), i8x16ShrU(difference(p1, q1), 1)), edge),
    ),
  ),
  set(flat, atMost(flat, highVariance)),
];

/** `start` and three times q0 - p0. Saturated by step it is what it is saturated at the end. */
const setDelta = (start: V128): Body => [
  set(a1, i8x16SubSatS(q0, p0)),
  set(delta, i8x16AddSatS(i8x16AddSatS(i8x16AddSatS(start, a1), a1), a1)),
  set(delta, v128And(delta, mask)),
];

/** p0 and q0 by `delta`. */
const filterNearest: Body = [
  set(a1, eighth(delta, 4)),
  set(a2, eighth(delta, 3)),
  subtract(q0, a1),
  add(p0, a2),
];

/** `filterFour` where it is flat, else `filterTwo`. */
const filterInner: Body = [
  setDelta(v128Andnot(i8x16SubSatS(p1, q1), flat)),
  filterNearest,
  set(a1, v128And(i8x16ShrS(i8x16Add(a1, i8x16Const(1)), 1), flat)),
  add(p1, a1),
  subtract(q1, a1),
];

/** `filterSix` where it is flat, else `filterTwo`. */
const filterOuter: Body = [
  setDelta(i8x16SubSatS(p1, q1)),
  set(mask, v128And(delta, flat)),
  set(delta, v128Andnot(delta, flat)),
  filterNearest,
  set(low, i16x8Mul(i16x8ExtendLowI8x16S(mask), i16x8Const(9))),
  set(high, i16x8Mul(i16x8ExtendHighI8x16S(mask), i16x8Const(9))),
  set(lowSum, i16x8Const(63)),
  set(highSum, i16x8Const(63)),
  // 9, 18 and 27 times the difference.
  [[p2, q2] as const, [p1, q1] as const, [p0, q0] as const].map(([p, q]) => [
    set(lowSum, i16x8Add(lowSum, low)),
    set(highSum, i16x8Add(highSum, high)),
    set(a1, i8x16NarrowI16x8S(i16x8ShrS(lowSum, 7), i16x8ShrS(highSum, 7))),
    add(p, a1),
    subtract(q, a1),
  ]),
];

const changed = [p2, p1, p0, q0, q1, q2];

/** Filters `lines`, and stores them by `store` if anything changed: `filterNormalEdge` of loop-filter.ts. */
export const filterLines = (store: Body): Body => [
  findEdges,
  when(v128AnyTrue(mask), [
    changed.map(flipSign),
    when(outer, filterOuter, filterInner),
    changed.map(flipSign),
    store,
  ]),
];
