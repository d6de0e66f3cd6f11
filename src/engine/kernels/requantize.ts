import { get, repeat, set, toFunction } from '../../lib/wasm-text/wat.ts';
import { fixedPoint, magic } from '../kernel-layout.ts';
import type { Activations } from './activations.ts';
import { laneField, splatField } from './descriptor-fields.ts';

/**
 * int32 accumulators to quantized activations, as ONNX Runtime requantizes: convert to float32,
 * multiply, clamp, round half to even.
 *
 * @see https://github.com/microsoft/onnxruntime/blob/main/onnxruntime/core/mlas/lib/quantize.cpp
 *   MlasRequantizeOutput
 */

const magicVector = `(v128.const f32x4 ${magic} ${magic} ${magic} ${magic})`;

/** Rounds floats of magnitude below 2^22 to int32. */
export const round = (value: string) => `(i32x4.sub (f32x4.add ${value} ${magicVector}) ${magicVector})`;

/** Locals that `storeResult` and `storeSum` need. */
export const finishLocals = [
  'residual8',
  'other0',
  'other1',
  'own0',
  'own1',
  'sum0',
  'sum1',
  'fixed0',
  'fixed1',
  'magic',
  'lo',
  'hi',
  'resultHi',
  'base',
  'sumLo',
  'sumHi',
  'ownBase',
  'resZero',
  'sumMagic',
  'sumMask',
  'sumWindow',
  'sumBase',
  'exactBase',
  'ownScale',
  'resScale',
  'fixed',
] as const;

/**
 * Constants of a convolution without residual. They come from the descriptor, as all that follow: V8
 * would make a constant anew for each use, by three instructions.
 */
export const loadResultConstants = `
  ${set('magic', splatField('magic'))} ${set('lo', splatField('low'))}
  ${set('resultHi', laneField('resultHigh'))} ${set('base', splatField('resultBase'))}`;

/** Constants of a residual sum. */
export const loadSumConstants = `
  ${set('magic', splatField('magic'))} ${set('lo', splatField('low'))} ${set('hi', splatField('high'))}
  ${set('sumLo', laneField('residualLow'))} ${set('sumHi', laneField('residualHigh'))}
  ${set('ownBase', splatField('ownBase'))} ${set('resZero', laneField('residualZeroPoint'))}
  ${set('sumMagic', splatField('sumMagic'))} ${set('sumMask', splatField('sumMask'))}
  ${set('sumWindow', splatField('sumWindow'))} ${set('sumBase', splatField('sumBase'))}
  ${set('exactBase', splatField('exactBase'))}
  ${set('ownScale', splatField('ownScale'))} ${set('resScale', splatField('residualScale'))}
  ${set('fixed', splatField('fixed'))}`;

/** first x scale + (second x scale + fixed), as ONNX Runtime orders it. */
const sum = (first: string, firstScale: string, second: string, secondScale: string) =>
  `(f32x4.add (f32x4.mul ${first} ${firstScale}) (f32x4.add (f32x4.mul ${second} ${secondScale}) ${get('fixed')}))`;
const fused = (first: string, firstScale: string, second: string, secondScale: string) =>
  `(call $fused_sum ${first} ${firstScale} ${second} ${secondScale} ${get('fixed')})`;

/** Both halves of eight channels, in the order of the operands that the graph has. */
const sums = (make: typeof sum) => `
  (if ${get('residualFirst')}
    (then ${repeat(2, (half) => set(`sum${half}`, make(get(`other${half}`), get('resScale'), get(`own${half}`), get('ownScale'))))})
    (else ${repeat(2, (half) => set(`sum${half}`, make(get(`own${half}`), get('ownScale'), get(`other${half}`), get('resScale'))))}))`;

const isNearHalf = (half: number) =>
  `(i32x4.gt_s ${get('sumWindow')} (v128.and ${get(`fixed${half}`)} ${get('sumMask')}))`;

const upperHalf = (name: string) =>
  `(i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 ${get(name)} ${get(name)})`;
const wide = (value: string) => `(f64x2.promote_low_f32x4 ${value})`;
const fusedPair = (take: (name: string) => string) => {
  const inner = `(f32x4.demote_f64x2_zero (f64x2.add (f64x2.mul ${wide(take('b'))} ${wide(get('rb'))}) ${wide(get('fixed'))}))`;
  return `(f32x4.demote_f64x2_zero (f64x2.add (f64x2.mul ${wide(take('a'))} ${wide(get('ra'))}) ${wide(inner)}))`;
};

/** The same sum, as fused multiply-adds give it. */
export const fusedSum = toFunction({
  name: 'fused_sum',
  params: ['a', 'ra', 'b', 'rb', 'fixed'],
  types: { a: 'v128', ra: 'v128', b: 'v128', rb: 'v128', fixed: 'v128' },
  result: 'v128',
  body: `(i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 ${fusedPair(get)} ${fusedPair(upperHalf)})`,
});

/**
 * Rounded, with the magic number still in it, and not below `lo`: as bits, which are in the same order
 * as the floats they make, even where these are so large that they are no longer rounded.
 */
const scaled = (accumulators: string, multiplier: string) =>
  `(i32x4.max_s ${get('lo')}
    (f32x4.add (f32x4.mul (f32x4.convert_i32x4_s ${accumulators}) ${multiplier}) ${get('magic')}))`;

/**
 * Stores 8 channels of one pixel, requantized.
 *
 * @param sums channels 0 to 3 and 4 to 7 as int32; @param output expression of the address.
 */
export function storeResult(
  activations: Activations,
  sums: readonly [string, string],
  output: string,
): string {
  const [low, high] = sums.map(
    (acc, index) => `(i32x4.sub ${scaled(acc, get(`mul${index}`))} ${get('base')})`,
  );
  return activations.storeCapped(output, low!, high!);
}

/**
 * Stores 8 channels of one pixel, requantized and the residual at address `residual` added. ONNX
 * Runtime fuses each multiplication of the sum with its addition (QLinearAdd with FMA3); WebAssembly
 * has no exact fused operation. So the sum is made unfused first, and rounded in fixed point. Only
 * where it comes so near to a half that the two could differ, about once in 300 pixels, it is made
 * again in float64, where products and sums of these numbers are exact and the conversion to float32
 * rounds once, as a fused operation does; and rounded half to even. That has the zero point in it, as
 * ORT does: half to even would else go another way.
 *
 * @see https://github.com/microsoft/onnxruntime/tree/main/onnxruntime/core/mlas/lib qladd.cpp
 */
export function storeSum(
  activations: Activations,
  accumulators: readonly [string, string],
  output: string,
  residual: string,
): string {
  const halves = ['low', 'high'] as const;
  const each = (make: (half: 0 | 1) => string) => `${make(0)} ${make(1)}`;
  return `
  ${set('residual8', activations.quantized(activations.load(residual), 'resZero'))}
  ${each((half) => set(`own${half}`, `(f32x4.sub (i32x4.min_s ${get('hi')} ${scaled(accumulators[half], get(`mul${half}`))}) ${get('ownBase')})`))}
  ${each((half) => set(`other${half}`, `(f32x4.convert_i32x4_s ${activations.widen(halves[half], get('residual8'))})`))}
  ${sums(sum)}
  ${each((half) => set(`fixed${half}`, `(f32x4.add ${get(`sum${half}`)} ${get('sumMagic')})`))}
  (if (v128.any_true (v128.or ${isNearHalf(0)} ${isNearHalf(1)}))
    (then
      ${sums(fused)}
      ${each((half) => set(`fixed${half}`, `(i32x4.sub (f32x4.add ${get(`sum${half}`)} ${get('magic')}) ${get('exactBase')})`))})
    (else
      ${each((half) => set(`fixed${half}`, `(i32x4.shr_s ${get(`fixed${half}`)} (i32.const ${fixedPoint.bits}))`))}))
  ${activations.storeClamped(
    output,
    `(i32x4.sub ${get('fixed0')} ${get('sumBase')})`,
    `(i32x4.sub ${get('fixed1')} ${get('sumBase')})`,
  )}`;
}
