import { countUp, increase, set } from '../../../lib/wasm-text/control.ts';
import { i32Locals, type V128, v128Locals } from '../../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../../lib/wasm-text/function.ts';
import { i32Add } from '../../../lib/wasm-text/integers.ts';
import { at, i32Load, v128Load, v128Load8x8U, v128Store32Lane } from '../../../lib/wasm-text/memory.ts';
import {
  i8x16NarrowI16x8U,
  i16x8NarrowI32x4S,
  i32x4Add,
  i32x4Const,
  i32x4DotI16x8S,
  i32x4Shl,
  i32x4ShrS,
  shuffleLanes32,
} from '../../../lib/wasm-text/vectors.ts';
import { lowBits } from '../weight-table.ts';

const colours = i32Locals('red', 'green', 'blue');
const [table, count, out] = i32Locals('table', 'count', 'out');
const [i, group, groups, from] = i32Locals('i', 'group', 'groups', 'from');
const [pixels, highWeights, lowWeights, pairs] = v128Locals('pixels', 'high', 'low', 'pairs');
/** Four sums of each colour, of upper parts of weights and of lower parts. */
const highs = v128Locals('red_high', 'green_high', 'blue_high');
const lows = v128Locals('red_low', 'green_low', 'blue_low');
const [red, green, blue] = lows;

/** Eight pixels through the next weights; `add` says what becomes of the sums. */
const takeGroup = (add: (sum: V128, products: V128) => V128) => [
  set(highWeights, v128Load(table)),
  set(lowWeights, v128Load(at(table, 16))),
  colours.map((row, colour) => [
    set(pixels, v128Load8x8U(i32Add(row, from))),
    set(highs[colour]!, add(highs[colour]!, i32x4DotI16x8S(pixels, highWeights))),
    set(lows[colour]!, add(lows[colour]!, i32x4DotI16x8S(pixels, lowWeights))),
  ]),
  increase(from, 8),
  increase(table, 32),
];

/** The four sums of each colour as one: red, green and blue in the first lanes of `red`. */
const addAcross = [
  [0, 1, 2].map((colour) => set(lows[colour]!, i32x4Add(lows[colour]!, i32x4Shl(highs[colour]!, lowBits)))),
  set(pairs, i32x4Add(shuffleLanes32([0, 4, 1, 5], red, green), shuffleLanes32([2, 6, 3, 7], red, green))),
  set(blue, i32x4Add(blue, shuffleLanes32([2, 3, 0, 1], blue, blue))),
  set(blue, i32x4Add(blue, shuffleLanes32([1, 0, 3, 2], blue, blue))),
  set(pairs, i32x4Add(pairs, shuffleLanes32([2, 3, 0, 1], pairs, pairs))),
  set(red, shuffleLanes32([0, 1, 4, 5], pairs, blue)),
];

/**
 * `resize_row` of a row of each colour, eight pixels a step; the row that is written has all of them in turns. It
 * reads up to 15 bytes behind the last pixel (times 0) and writes one byte behind the last.
 */
export const resizePlanes = (precisionBits: number) =>
  wasmFunction({
    name: 'resize_planes',
    exported: true,
    hoistsConstants: true,
    params: [...colours, table, count, out],
    locals: [i, group, groups, from, pixels, highWeights, lowWeights, pairs, ...highs, ...lows],
    body: countUp(i, count, 1, [
      set(from, i32Load(table)),
      set(groups, i32Load(at(table, 4))),
      increase(table, 16),
      takeGroup((_, products) => products),
      countUp(group, groups, 1, takeGroup(i32x4Add)),
      addAcross,
      set(red, i32x4ShrS(i32x4Add(red, i32x4Const(1 << (precisionBits - 1))), precisionBits)),
      set(red, i16x8NarrowI32x4S(red, red)),
      v128Store32Lane(0, out, i8x16NarrowI16x8U(red, red)),
      increase(out, 3),
    ]),
  });
