import { set, when } from '../../../../../lib/wasm-text/control.ts';
import { type Body, i32Locals, v128Locals } from '../../../../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../../../../lib/wasm-text/function.ts';
import { i32Add, i32Const, i32Eq, i32Shl, i32ShrU, i32Sub } from '../../../../../lib/wasm-text/integers.ts';
import {
  at,
  i32Load8U,
  v128Load,
  v128Load8Lane,
  v128Load32Splat,
  v128Store32Lane,
} from '../../../../../lib/wasm-text/memory.ts';
import {
  i8x16AvgrU,
  i8x16Const,
  i8x16NarrowI16x8U,
  i8x16Shuffle,
  i8x16Splat,
  i8x16Sub,
  i8x16Swizzle,
  i16x8Add,
  i16x8ExtendLowI8x16U,
  i16x8Splat,
  v128And,
  v128Bitselect,
  v128Or,
  v128Xor,
} from '../../../../../lib/wasm-text/vectors.ts';
import { submode } from '../modes.ts';
import { workspaceStride as stride } from '../workspace.ts';

const [to, mode, masks, corner] = i32Locals('to', 'mode', 'masks', 'corner');
const [edge, next, afterNext, means3, predicted, upper] = v128Locals(
  'edge',
  'next',
  'after_next',
  'means3',
  'predicted',
  'upper',
);

const leftOf = (y: number) => i32Load8U(i32Add(to, y * stride - 1));
const moved = (by: number) => Array.from({ length: 16 }, (_, i) => Math.min(i + by, 15));
const fromAbove = (distance: number) => i32Add(to, distance - stride);

/** The edge as in predict-block.ts, but its first sample and its last twice: L L K J I X A B C D E F G H H. */
const loadEdge: Body = [
  set(edge, v128Load(fromAbove(-6))),
  [3, 3, 2, 1, 0].map((y, lane) => set(edge, v128Load8Lane(lane, i32Add(to, y * stride - 1), edge))),
  set(edge, v128Load8Lane(14, fromAbove(7), edge)),
];

/** (a + 2 b + c + 2) / 4 of three neighbours: the mean of b and that of a and c, which must not be rounded up. */
const setMeans3: Body = [
  set(next, i8x16Shuffle(moved(1), edge, edge)),
  set(afterNext, i8x16Shuffle(moved(2), edge, edge)),
  set(
    means3,
    i8x16AvgrU(next, i8x16Sub(i8x16AvgrU(edge, afterNext), v128And(v128Xor(edge, afterNext), i8x16Const(1)))),
  ),
];

/** All modes but two choose among means. */
const chooseMeans: Body = [
  loadEdge,
  setMeans3,
  set(
    predicted,
    v128Or(
      i8x16Swizzle(i8x16AvgrU(edge, next), v128Load(i32Add(masks, i32Shl(mode, 5)))),
      i8x16Swizzle(means3, v128Load(at(i32Add(masks, i32Shl(mode, 5)), 16))),
    ),
  ),
];

const setDc: Body = set(
  predicted,
  i8x16Splat(
    i32ShrU(
      [0, 1, 2, 3].reduce((sum, i) => i32Add(sum, i32Add(leftOf(i), i32Load8U(fromAbove(i)))), i32Const(4)),
      3,
    ),
  ),
);

/** Two rows: each lane of `upper` the difference of its row. */
const twoRows = (y: number) => {
  const difference = (row: number) => i16x8Splat(i32Sub(leftOf(row), corner));
  const firstRow = i8x16Const([...Array<number>(8).fill(-1), ...Array<number>(8).fill(0)]);
  return i16x8Add(upper, v128Bitselect(difference(y), difference(y + 1), firstRow));
};
const setTrueMotion: Body = [
  set(corner, i32Load8U(fromAbove(-1))),
  set(upper, i16x8ExtendLowI8x16U(v128Load32Splat(fromAbove(0)))),
  set(predicted, i8x16NarrowI16x8U(twoRows(0), twoRows(2))),
];

/** `predictBlock` of predict-block.ts. `masks`: see `submodeMasks`. */
export const predictBlock = wasmFunction({
  name: 'vp8_predict_block',
  params: [to, mode, masks],
  locals: [corner, edge, next, afterNext, means3, predicted, upper],
  body: [
    when(i32Eq(mode, submode.dc), setDc, when(i32Eq(mode, submode.trueMotion), setTrueMotion, chooseMeans)),
    [0, 1, 2, 3].map((row) => v128Store32Lane(row, at(to, row * stride), predicted)),
  ],
});
