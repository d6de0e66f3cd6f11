import { countUp, increase, set } from '../../../lib/wasm-text/control.ts';
import { i32Locals, type V128, v128Locals } from '../../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../../lib/wasm-text/function.ts';
import { i32Add } from '../../../lib/wasm-text/integers.ts';
import { at, i32Load, v128Load, v128Load32Splat, v128Store32Lane } from '../../../lib/wasm-text/memory.ts';
import {
  i8x16Const,
  i8x16NarrowI16x8U,
  i8x16Swizzle,
  i16x8NarrowI32x4S,
  i32x4Add,
  i32x4Const,
  i32x4DotI16x8S,
  i32x4Shl,
  i32x4ShrS,
  i32x4Splat,
} from '../../../lib/wasm-text/vectors.ts';
import { swizzleZero } from '../../wat/store-interleaved.ts';
import { lowBits } from '../weight-table.ts';

const [row, table, count, out] = i32Locals('row', 'table', 'count', 'out');
const [i, group, groups, from] = i32Locals('i', 'group', 'groups', 'from');
const [pixels, first, second, high, low] = v128Locals('pixels', 'first', 'second', 'high', 'low');

/** Two pixels of RGB as pairs of 16-bit numbers, red with red: r0 r1 g0 g1 b0 b1 0 0. */
const pair = (byte: number) =>
  i8x16Swizzle(
    pixels,
    i8x16Const([
      ...[0, 3, 1, 4, 2, 5].flatMap((sample) => [sample + byte, swizzleZero]),
      ...Array<number>(4).fill(swizzleZero),
    ]),
  );
const addDot = (sum: typeof high, twoPixels: V128, weightOffset: number) =>
  set(sum, i32x4Add(sum, i32x4DotI16x8S(twoPixels, v128Load32Splat(at(table, weightOffset)))));

const addFourPixels = [
  set(pixels, v128Load(from)),
  set(first, pair(0)),
  set(second, pair(6)),
  addDot(high, first, 0),
  addDot(low, first, 8),
  addDot(high, second, 4),
  addDot(low, second, 12),
  increase(from, 12),
  increase(table, 16),
];

/**
 * One row through a table of weights, four pixels a step. The dot product takes 16-bit numbers, a weight has
 * 23 bits: its upper and lower part are summed apart and put together in the end, modulo 2^32 as in the
 * TypeScript. It reads up to 16 bytes behind the last pixel (times 0) and writes one byte behind the last.
 */
export const resizeRow = (precisionBits: number) =>
  wasmFunction({
    name: 'resize_row',
    exported: true,
    hoistsConstants: true,
    params: [row, table, count, out],
    locals: [i, group, groups, from, pixels, first, second, high, low],
    body: countUp(i, count, 1, [
      set(from, i32Add(row, i32Load(table))),
      set(groups, i32Load(at(table, 4))),
      increase(table, 8),
      set(high, i32x4Const(0)),
      set(low, i32x4Splat(1 << (precisionBits - 1))),
      countUp(group, groups, 1, addFourPixels),
      set(low, i32x4ShrS(i32x4Add(low, i32x4Shl(high, lowBits)), precisionBits)),
      set(low, i16x8NarrowI32x4S(low, low)),
      v128Store32Lane(0, out, i8x16NarrowI16x8U(low, low)),
      increase(out, 3),
    ]),
  });
