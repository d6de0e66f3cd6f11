import { get, set, splatField, toFunction } from './wat.ts';

/**
 * int32 accumulators to centred int16 activations, as ONNX Runtime requantizes: convert to float32,
 * multiply, clamp, round half to even.
 *
 * @see https://github.com/microsoft/onnxruntime/blob/main/onnxruntime/core/mlas/lib/quantize.cpp
 *   MlasRequantizeOutput
 */

/** 1.5 x 2^23: adding it leaves an integer in the low mantissa bits, rounded half to even. */
const magic = '(v128.const f32x4 12582912 12582912 12582912 12582912)';

/** Rounds floats of magnitude below 2^22 to int32. */
export const round = (value: string) => `(i32x4.sub (f32x4.add ${value} ${magic}) ${magic})`;

export const clamp = (value: string, low: string, high: string) =>
  `(f32x4.pmin ${high} (f32x4.pmax ${low} ${value}))`;

const scaled = (accumulators: string, multiplier: string) =>
  `(f32x4.mul (f32x4.convert_i32x4_s ${accumulators}) ${multiplier})`;

/** Locals that `finishPixel` needs. */
export const finishLocals = [
  'q',
  'r',
  'own0',
  'own1',
  'residual0',
  'residual1',
  'lo',
  'hi',
  'sumLo',
  'sumHi',
  'ownZero',
  'resZero',
  'sumZero',
  'ownScale',
  'resScale',
  'fixed',
] as const;

/** Loads the constants of a convolution once, before its pixels. */
export const loadFinishConstants = `
  ${set('lo', splatField('low'))} ${set('hi', splatField('high'))}
  ${set('sumLo', splatField('residualLow'))} ${set('sumHi', splatField('residualHigh'))}
  ${set('ownZero', splatField('ownZeroPoint'))} ${set('resZero', splatField('residualZeroPoint'))}
  ${set('sumZero', splatField('sumZeroPoint'))}
  ${set('ownScale', splatField('ownScale'))} ${set('resScale', splatField('residualScale'))}
  ${set('fixed', splatField('fixed'))}`;

/** Four of eight centred int16 as the quantized values they stand for, in float32. */
const quantized = (which: 'low' | 'high', value: string, zero: string) =>
  `(f32x4.add (f32x4.convert_i32x4_s (i32x4.extend_${which}_i16x8_s ${value})) ${zero})`;

const nearHalf = '(v128.const f32x4 0.4998 0.4998 0.4998 0.4998)';

/**
 * The sum of a residual block: first x scale + (second x scale + fixed). ONNX Runtime fuses each
 * multiplication with its addition (QLinearAdd with FMA3); WebAssembly has no exact fused operation.
 * So the sum is made unfused first, and only where that comes within 2e-4 of a half, about once in
 * 600 vectors, again in float64, where products and sums of these numbers are exact and the
 * conversion to float32 rounds once, as a fused operation does.
 *
 * @see https://github.com/microsoft/onnxruntime/tree/main/onnxruntime/core/mlas/lib qladd.cpp
 */
const sum = (first: string, firstScale: string, second: string, secondScale: string, into: string) => `
  ${set('r', `(f32x4.add (f32x4.mul ${first} ${firstScale}) (f32x4.add (f32x4.mul ${second} ${secondScale}) ${get('fixed')}))`)}
  (if (v128.any_true (f32x4.gt (f32x4.abs (f32x4.sub ${get('r')} (f32x4.nearest ${get('r')}))) ${nearHalf})) (then
    ${set('r', `(call $fused_sum ${first} ${firstScale} ${second} ${secondScale} ${get('fixed')})`)}))
  ${set(into, get('r'))}`;

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

const sumOfHalf = (half: 0 | 1) => `
  (if ${get('residualFirst')}
    (then ${sum(get(`residual${half}`), get('resScale'), get(`own${half}`), get('ownScale'), `own${half}`)})
    (else ${sum(get(`own${half}`), get('ownScale'), get(`residual${half}`), get('resScale'), `own${half}`)}))`;

/** Rounded with the zero point in, as ORT does: half to even would else go another way. */
const centred = (value: string) =>
  `(i32x4.sub ${round(clamp(value, get('sumLo'), get('sumHi')))} ${get('sumZero')})`;

/**
 * Stores 8 channels of one pixel: requantized, plus the residual where there is one.
 *
 * @param acc0 channels 0 to 3 as int32; @param acc1 channels 4 to 7.
 */
export function finishPixel(acc0: string, acc1: string): string {
  const requantized = [acc0, acc1].map((acc, index) =>
    round(clamp(scaled(acc, get(`mul${index}`)), get('lo'), get('hi'))),
  );
  return `
  ${set('q', `(i16x8.narrow_i32x4_s ${requantized[0]} ${requantized[1]})`)}
  (if ${get('residual')} (then
    ${set('r', `(v128.load ${get('residual')})`)}
    ${set('own0', quantized('low', get('q'), get('ownZero')))}
    ${set('own1', quantized('high', get('q'), get('ownZero')))}
    ${set('residual0', quantized('low', get('r'), get('resZero')))}
    ${set('residual1', quantized('high', get('r'), get('resZero')))}
    ${sumOfHalf(0)}
    ${sumOfHalf(1)}
    ${set('q', `(i16x8.narrow_i32x4_s ${centred(get('own0'))} ${centred(get('own1'))})`)}))
  (v128.store ${get('output')} ${get('q')})`;
}
