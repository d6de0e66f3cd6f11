import { set, when } from '../../lib/wasm-text/control.ts';
import { type Body, type I32, i32Local, type V128, v128Locals } from '../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../lib/wasm-text/function.ts';
import {
  f32x4Add,
  f32x4Const,
  f32x4ConvertI32x4S,
  f32x4DemoteF64x2Zero,
  f32x4Mul,
  f32x4Sub,
  f64x2Add,
  f64x2Mul,
  f64x2PromoteLowF32x4,
  i8x16Shuffle,
  i32x4GtS,
  i32x4MaxS,
  i32x4MinS,
  i32x4ShrS,
  i32x4Sub,
  v128And,
  v128AnyTrue,
} from '../../lib/wasm-text/vectors.ts';
import { fixedPoint, magic as magicNumber } from '../kernel-layout.ts';
import type { Activations } from './activations.ts';
import { laneField, splatField } from './descriptor-fields.ts';

/**
 * int32 accumulators to quantized activations, as ONNX Runtime requantizes: convert to float32,
 * multiply, clamp, round half to even.
 *
 * @see https://github.com/microsoft/onnxruntime/blob/main/onnxruntime/core/mlas/lib/quantize.cpp
 *   MlasRequantizeOutput
 */

/** Rounds floats of magnitude below 2^22 to int32. */
export const round = (value: V128) =>
  i32x4Sub(f32x4Add(value, f32x4Const(magicNumber)), f32x4Const(magicNumber));

/** Multipliers of the sums: channels 0 to 3, and 4 to 7. Functions that finish sums set them. */
export const multipliers = v128Locals('multiplier0', 'multiplier1');
/** Set where a descriptor has a residual: whether it is ORT's first operand. */
export const residualFirst = i32Local('residualFirst');

/** The residual of eight channels; then by halves: it, and the convolution's own results, as float32. */
const [residual8, other0, other1, own0, own1] = v128Locals('residual8', 'other0', 'other1', 'own0', 'own1');
/** Their sum, and the sum in fixed point or as integers. */
const [sum0, sum1, fixed0, fixed1] = v128Locals('sum0', 'sum1', 'fixed0', 'fixed1');
const other = [other0, other1] as const;
const own = [own0, own1] as const;
const sum = [sum0, sum1] as const;
const fixedSum = [fixed0, fixed1] as const;
/* Fields of the descriptor: see layout.ts. */
const [magic, low, high, resultHigh, resultBase] = v128Locals(
  'magic',
  'low',
  'high',
  'resultHigh',
  'resultBase',
);
const [residualLow, residualHigh, ownBase, residualZeroPoint] = v128Locals(
  'residualLow',
  'residualHigh',
  'ownBase',
  'residualZeroPoint',
);
const [shifted, sumMask, sumWindow, sumBase, exactBase] = v128Locals(
  'shifted',
  'sumMask',
  'sumWindow',
  'sumBase',
  'exactBase',
);
const [ownScale, residualScale, fixed] = v128Locals('ownScale', 'residualScale', 'fixed');

/** Locals that `storeResult` and `storeSum` need. */
export const finishLocals = [
  ...[residual8, other0, other1, own0, own1, sum0, sum1, fixed0, fixed1],
  ...[magic, low, high, resultHigh, resultBase, residualLow, residualHigh, ownBase, residualZeroPoint],
  ...[shifted, sumMask, sumWindow, sumBase, exactBase, ownScale, residualScale, fixed],
];

/**
 * Constants of a convolution without residual. They come from the descriptor, as all that follow: V8
 * would make a constant anew for each use, by three instructions.
 */
export const loadResultConstants = [
  set(magic, splatField('magic')),
  set(low, splatField('low')),
  set(resultHigh, laneField('resultHigh')),
  set(resultBase, splatField('resultBase')),
];

/** Constants of a residual sum. */
export const loadSumConstants = [
  set(magic, splatField('magic')),
  set(low, splatField('low')),
  set(high, splatField('high')),
  set(residualLow, laneField('residualLow')),
  set(residualHigh, laneField('residualHigh')),
  set(ownBase, splatField('ownBase')),
  set(shifted, splatField('shifted')),
  set(sumMask, splatField('sumMask')),
  set(sumWindow, splatField('sumWindow')),
  set(sumBase, splatField('sumBase')),
  set(ownScale, splatField('ownScale')),
  set(residualScale, splatField('residualScale')),
];

const halves = [0, 1] as const;

const fraction = (half: 0 | 1) => v128And(fixedSum[half], sumMask);
/** Whether one of the eight sums is near a half. */
const isNearHalf = v128AnyTrue(i32x4GtS(sumWindow, i32x4MinS(fraction(0), fraction(1))));

const [first, firstScale, second, secondScale] = v128Locals('first', 'firstScale', 'second', 'secondScale');
const lowerHalf = (vector: V128) => vector;
const upperHalf = (vector: V128) =>
  i8x16Shuffle([8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15], vector, vector);
const wide = f64x2PromoteLowF32x4;
/** Two of four sums. All four scales are the same, and so are the four of `fixed`. */
const fusedPair = (take: (vector: V128) => V128) => {
  const inner = f64x2Add(f64x2Mul(wide(take(second)), wide(secondScale)), wide(fixed));
  const product = f64x2Mul(wide(take(first)), wide(firstScale));
  return f32x4DemoteF64x2Zero(f64x2Add(product, wide(f32x4DemoteF64x2Zero(inner))));
};

/** The same sum, as fused multiply-adds give it. */
export const fusedSum = wasmFunction({
  name: 'fused_sum',
  params: [first, firstScale, second, secondScale, fixed],
  body: [],
  result: i8x16Shuffle(
    [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23],
    fusedPair(lowerHalf),
    fusedPair(upperHalf),
  ),
});

/** Computes both halves again, in the order of the graph's operands, and loads the constants for it. */
const sumAgain = (activations: Activations): Body => {
  const { widenLow, widenHigh } = activations;
  const operands = (half: 0 | 1) =>
    [
      [other[half], residualScale],
      [own[half], ownScale],
    ] as const;
  return [
    set(residualZeroPoint, laneField('residualZeroPoint')),
    set(exactBase, splatField('exactBase')),
    set(fixed, splatField('fixed')),
    set(residual8, activations.quantized(residual8, residualZeroPoint)),
    set(other0, f32x4ConvertI32x4S(widenLow(residual8))),
    set(other1, f32x4ConvertI32x4S(widenHigh(residual8))),
    halves.map((half) => {
      const [residual, result] = operands(half);
      return when(
        residualFirst,
        set(sum[half], fusedSum.call(...residual, ...result, fixed)),
        set(sum[half], fusedSum.call(...result, ...residual, fixed)),
      );
    }),
    halves.map((half) => set(fixedSum[half], i32x4Sub(f32x4Add(sum[half], magic), exactBase))),
  ];
};

/**
 * Rounds to a float that still contains the magic number, and clamps it to `low` by comparing bits. Bits of such floats
 * have the same order as the floats, also of those that are too large to be rounded.
 */
const scaled = (accumulators: V128, multiplier: V128) =>
  i32x4MaxS(low, f32x4Add(f32x4Mul(f32x4ConvertI32x4S(accumulators), multiplier), magic));

/** Channels 0 to 3, and 4 to 7, of one pixel as int32. */
export type SumsOfPixel = readonly [V128, V128];

/** Stores 8 channels of one pixel, requantized, to address `output`. */
export function storeResult(activations: Activations, sums: SumsOfPixel, output: I32) {
  const toResult = (half: 0 | 1) => i32x4Sub(scaled(sums[half], multipliers[half]), resultBase);
  return activations.storeCapped(output, toResult(0), toResult(1), resultHigh);
}

/**
 * Stores 8 channels of one pixel, requantized and the residual at address `residual` added. ONNX Runtime fuses each
 * multiplication of the sum with its addition (QLinearAdd with FMA3); WebAssembly has no exact fused operation. So
 * the sum is made unfused first, and rounded in fixed point. Only where it comes so near to a half that the two could
 * differ, about once in 300 pixels, it is made again in float64, where products and sums of these numbers are exact
 * and the conversion to float32 rounds once, as a fused operation does; and rounded half to even. The zero point is
 * part of the rounded number, as in ONNX Runtime, because it decides which neighbour is even.
 *
 * @see https://github.com/microsoft/onnxruntime/tree/main/onnxruntime/core/mlas/lib qladd.cpp
 */
export function storeSum(activations: Activations, sums: SumsOfPixel, output: I32, residual: I32): Body {
  const { widenLow, widenHigh } = activations;
  return [
    set(residual8, activations.load(residual)),
    halves.map((half) => {
      const capped = i32x4MinS(high, scaled(sums[half], multipliers[half]));
      return set(own[half], f32x4Sub(capped, ownBase));
    }),
    halves.map((half) => {
      const stored = f32x4ConvertI32x4S(half === 0 ? widenLow(residual8) : widenHigh(residual8));
      const shiftedResidual = f32x4Add(f32x4Mul(stored, residualScale), shifted);
      return set(fixedSum[half], f32x4Add(f32x4Mul(own[half], ownScale), shiftedResidual));
    }),
    when(
      isNearHalf,
      sumAgain(activations),
      halves.map((half) => set(fixedSum[half], i32x4ShrS(fixedSum[half], fixedPoint.bits))),
    ),
    activations.storeClamped(
      ...([output, i32x4Sub(fixed0, sumBase), i32x4Sub(fixed1, sumBase), residualLow, residualHigh] as const),
    ),
  ];
}
