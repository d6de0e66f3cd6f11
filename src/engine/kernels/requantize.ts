import type { Activations } from './activations.ts';
import { magic } from './layout.ts';
import { get, set, splatField, toFunction } from './wat.ts';

/**
 * int32 accumulators to quantized activations, as ONNX Runtime requantizes: convert to float32,
 * multiply, clamp, round half to even.
 *
 * @see https://github.com/microsoft/onnxruntime/blob/main/onnxruntime/core/mlas/lib/quantize.cpp
 *   MlasRequantizeOutput
 */

const magicVector = `(v128.const f32x4 ${magic} ${magic} ${magic} ${magic})`;

/** Rounds floats of magnitude below 2^22; the result still has the magic number in it, as bits and as value. */
const rounded = (value: string) => `(f32x4.add ${value} ${magicVector})`;
/** Rounds to int32. */
export const round = (value: string) => `(i32x4.sub ${rounded(value)} ${magicVector})`;

export const clamp = (value: string, low: string, high: string) =>
  `(f32x4.pmin ${high} (f32x4.pmax ${low} ${value}))`;

/** Locals that `finishPixel` needs. */
export const finishLocals = [
  'r',
  'residual8',
  'other',
  'own0',
  'own1',
  'lo',
  'hi',
  'base',
  'sumLo',
  'sumHi',
  'ownBase',
  'resZero',
  'sumBase',
  'ownScale',
  'resScale',
  'fixed',
] as const;

/** Constants of a convolution without residual. */
export const loadResultConstants = `
  ${set('lo', splatField('low'))} ${set('hi', splatField('high'))} ${set('base', splatField('resultBase'))}`;

/** Constants of a residual sum. */
export const loadSumConstants = `
  ${set('lo', splatField('low'))} ${set('hi', splatField('high'))}
  ${set('sumLo', splatField('residualLow'))} ${set('sumHi', splatField('residualHigh'))}
  ${set('ownBase', splatField('ownBase'))} ${set('resZero', splatField('residualZeroPoint'))}
  ${set('sumBase', splatField('sumBase'))}
  ${set('ownScale', splatField('ownScale'))} ${set('resScale', splatField('residualScale'))}
  ${set('fixed', splatField('fixed'))}`;

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

const scaled = (accumulators: string, multiplier: string) =>
  rounded(clamp(`(f32x4.mul (f32x4.convert_i32x4_s ${accumulators}) ${multiplier})`, get('lo'), get('hi')));

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
  return activations.store(output, low!, high!);
}

/** Stores 8 channels of one pixel, requantized and the residual at address `residual` added. */
export function storeSum(
  activations: Activations,
  sums: readonly [string, string],
  output: string,
  residual: string,
): string {
  const requantized = sums.map((acc, index) =>
    set(`own${index}`, `(f32x4.sub ${scaled(acc, get(`mul${index}`))} ${get('ownBase')})`),
  );
  const add = (half: 0 | 1) => {
    const [own, other] = [get(`own${half}`), get('other')];
    return `
    ${set('other', activations.quantized(half === 0 ? 'low' : 'high', get('residual8'), 'resZero'))}
    (if ${get('residualFirst')}
      (then ${sum(other, get('resScale'), own, get('ownScale'), `own${half}`)})
      (else ${sum(own, get('ownScale'), other, get('resScale'), `own${half}`)}))`;
  };
  // Rounded with the zero point in, as ORT does: half to even would else go another way.
  const finished = (half: 0 | 1) =>
    `(i32x4.sub ${rounded(clamp(get(`own${half}`), get('sumLo'), get('sumHi')))} ${get('sumBase')})`;
  return `
  ${set('residual8', activations.load(residual))}
  ${requantized.join('\n')} ${add(0)} ${add(1)}
  ${activations.store(output, finished(0), finished(1))}`;
}
