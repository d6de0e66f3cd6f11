import { repeat, set, when } from '../../../../../lib/wasm-text/control.ts';
import {
  type Body,
  type I32,
  i32Locals,
  type V128,
  v128Locals,
} from '../../../../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../../../../lib/wasm-text/function.ts';
import { i32Add, i32And, i32Eq, i32ShrU, i32Sub } from '../../../../../lib/wasm-text/integers.ts';
import {
  i32Load8U,
  v128Load,
  v128Load64Zero,
  v128Store,
  v128Store64Lane,
} from '../../../../../lib/wasm-text/memory.ts';
import {
  i8x16NarrowI16x8U,
  i8x16Splat,
  i16x8Add,
  i16x8ExtaddPairwiseI8x16U,
  i16x8ExtendHighI8x16U,
  i16x8ExtendLowI8x16U,
  i16x8Splat,
  i32x4Add,
  i32x4ExtaddPairwiseI16x8U,
  i32x4ExtractLane,
  shuffleLanes32,
} from '../../../../../lib/wasm-text/vectors.ts';
import { submode } from '../modes.ts';
import { macroblockPlace } from '../wasm/layout.ts';
import { workspaceStride as stride } from '../workspace.ts';

const [to, mode, place, sum, corner] = i32Locals('to', 'mode', 'place', 'sum', 'corner');
const [above, low, high, row] = v128Locals('above', 'low', 'high', 'row');

const leftOf = (y: number) => i32Load8U(i32Add(to, y * stride - 1));
const has = (edge: 'hasLeft' | 'hasAbove') => i32And(place, macroblockPlace[edge]);

/** `predictPlane` of predict-plane.ts for one side. */
function predictPlane(side: 16 | 8) {
  const store = (y: number, value: V128) => {
    const address: I32 = i32Add(to, y * stride);
    return side === 16 ? v128Store(address, value) : v128Store64Lane(0, address, value);
  };
  const aboveAddress = i32Sub(to, stride);
  /** An edge has 2^`bits` samples. */
  const bits = side === 16 ? 4 : 3;
  const sumOfLeft = Array.from({ length: side }, (_, y) => leftOf(y)).reduce((all, next) =>
    i32Add(all, next),
  );
  const sumOfAbove: Body = [
    set(row, i32x4ExtaddPairwiseI16x8U(i16x8ExtaddPairwiseI8x16U(above))),
    set(row, i32x4Add(row, shuffleLanes32([2, 3, 0, 1], row, row))),
    set(row, i32x4Add(row, shuffleLanes32([1, 0, 3, 2], row, row))),
    set(sum, i32Add(sum, i32x4ExtractLane(0, row))),
  ];
  const mean = (count: number) => set(sum, i32ShrU(i32Add(sum, 1 << (count - 1)), count));
  const fillDc: Body = [
    set(sum, 0),
    when(has('hasAbove'), sumOfAbove),
    when(has('hasLeft'), set(sum, i32Add(sum, sumOfLeft))),
    when(
      has('hasAbove'),
      when(has('hasLeft'), mean(bits + 1), mean(bits)),
      when(has('hasLeft'), mean(bits), set(sum, 128)),
    ),
    set(row, i8x16Splat(sum)),
    repeat(side, (y) => store(y, row)),
  ];
  const trueMotion: Body = [
    set(low, i16x8ExtendLowI8x16U(above)),
    set(high, i16x8ExtendHighI8x16U(above)),
    set(corner, i32Load8U(i32Add(to, -stride - 1))),
    repeat(side, (y) => [
      set(row, i16x8Splat(i32Sub(leftOf(y), corner))),
      store(y, i8x16NarrowI16x8U(i16x8Add(low, row), i16x8Add(high, row))),
    ]),
  ];
  const horizontal = repeat(side, (y) => store(y, i8x16Splat(leftOf(y))));
  const vertical = repeat(side, (y) => store(y, above));
  return wasmFunction({
    name: `vp8_predict_${side}`,
    params: [to, mode, place],
    locals: [sum, corner, above, low, high, row],
    body: [
      set(above, side === 16 ? v128Load(aboveAddress) : v128Load64Zero(aboveAddress)),
      when(
        i32Eq(mode, submode.dc),
        fillDc,
        when(
          i32Eq(mode, submode.trueMotion),
          trueMotion,
          when(i32Eq(mode, submode.vertical), vertical, horizontal),
        ),
      ),
    ],
  });
}

export const predict16 = predictPlane(16);
export const predict8 = predictPlane(8);
