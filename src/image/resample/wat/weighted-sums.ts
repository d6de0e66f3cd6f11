import { countUp, increase, set } from '../../../lib/wasm-text/control.ts';
import { type I32, i32Local, i32Locals, v128Local, v128Locals } from '../../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../../lib/wasm-text/function.ts';
import { i32Add } from '../../../lib/wasm-text/integers.ts';
import { at, v128Load, v128Load8x8U, v128Store } from '../../../lib/wasm-text/memory.ts';
import {
  i8x16NarrowI16x8U,
  i16x8NarrowI32x4S,
  i32x4Add,
  i32x4Const,
  i32x4ExtendHighI16x8U,
  i32x4ExtendLowI16x8U,
  i32x4Mul,
  i32x4ShrS,
  i32x4Splat,
} from '../../../lib/wasm-text/vectors.ts';

const [sums, samples, count, weight, i] = i32Locals('sums', 'samples', 'count', 'weight', 'i');
const [eight, low, high] = v128Locals('eight', 'low', 'high');

/** Adds eight samples times a weight to eight sums, which `low` and `high` hold. */
const addEight = (from: I32, factor: typeof eight) => [
  set(eight, v128Load8x8U(from)),
  set(low, i32x4Add(low, i32x4Mul(factor, i32x4ExtendLowI16x8U(eight)))),
  set(high, i32x4Add(high, i32x4Mul(factor, i32x4ExtendHighI16x8U(eight)))),
];
const loadSums = [set(low, v128Load(sums)), set(high, v128Load(at(sums, 16)))];
const storeSums = [v128Store(sums, low), v128Store(at(sums, 16), high)];

const factor = v128Local('factor');

/** `sums[i] += samples[i] * weight`; `count` is a multiple of 8. */
export const addWeighted = wasmFunction({
  name: 'add_weighted',
  exported: true,
  params: [sums, samples, count, weight],
  locals: [i, eight, low, high, factor],
  body: [
    set(factor, i32x4Splat(weight)),
    countUp(i, count, 8, [
      loadSums,
      addEight(samples, factor),
      storeSums,
      increase(samples, 8),
      increase(sums, 32),
    ]),
  ],
});

const row = i32Local('row');
const stride = i32Local('stride');
const weights = i32Locals('w0', 'w1', 'w2', 'w3');
const [second, third, fourth] = i32Locals('second', 'third', 'fourth');
const factors = v128Locals('f0', 'f1', 'f2', 'f3');

/** Four rows at once, `stride` bytes apart; `count` is a multiple of 8. */
export const addWeightedRows = wasmFunction({
  name: 'add_weighted_rows',
  exported: true,
  params: [sums, row, stride, count, ...weights],
  locals: [i, second, third, fourth, eight, low, high, ...factors],
  body: [
    factors.map((local, index) => set(local, i32x4Splat(weights[index]!))),
    set(second, i32Add(row, stride)),
    set(third, i32Add(second, stride)),
    set(fourth, i32Add(third, stride)),
    countUp(i, count, 8, [
      loadSums,
      [row, second, third, fourth].map((start, index) => addEight(i32Add(start, i), factors[index]!)),
      storeSums,
      increase(sums, 32),
    ]),
  ],
});

const out = i32Local('out');
const half = v128Local('half');

/** Sums to samples, clamped to 0 to 255, and the sums back to one half; `count` is a multiple of 16. */
export const finishSums = (precisionBits: number) => {
  const shifted = (offset: number) => i32x4ShrS(v128Load(at(sums, offset)), precisionBits);
  const narrowed = (offset: number) => i16x8NarrowI32x4S(shifted(offset), shifted(offset + 16));
  return wasmFunction({
    name: 'finish_sums',
    exported: true,
    params: [sums, out, count],
    locals: [i, half],
    body: [
      set(half, i32x4Const(1 << (precisionBits - 1))),
      countUp(i, count, 16, [
        v128Store(out, i8x16NarrowI16x8U(narrowed(0), narrowed(32))),
        [0, 16, 32, 48].map((offset) => v128Store(at(sums, offset), half)),
        increase(out, 16),
        increase(sums, 64),
      ]),
    ],
  });
};
