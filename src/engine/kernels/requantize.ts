import { get, set, splatField } from './wat.ts';

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

export const scaled = (accumulators: string, multiplier: string) =>
  `(f32x4.mul (f32x4.convert_i32x4_s ${accumulators}) ${multiplier})`;

/** Locals that `finishPixel` needs. */
export const finishLocals = [
  'q',
  'r',
  'q0',
  'q1',
  'r0',
  'r1',
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

const half = (which: 'low' | 'high', value: string) =>
  `(f32x4.convert_i32x4_s (i32x4.extend_${which}_i16x8_s ${value}))`;
const term = (value: string, zero: string, scale: string) =>
  `(f32x4.mul (f32x4.add ${value} ${zero}) ${scale})`;

/**
 * The sum of a residual block in the order in which ONNX Runtime's QLinearAdd adds: float addition
 * is not associative, and this order gives its bits.
 *
 * @see https://github.com/microsoft/onnxruntime/blob/main/onnxruntime/core/mlas/lib/qladd.cpp
 */
const sum = (own: string, residual: string) => `
  (if (result v128) ${get('residualFirst')}
    (then (f32x4.add ${residual} (f32x4.add ${own} ${get('fixed')})))
    (else (f32x4.add ${own} (f32x4.add ${residual} ${get('fixed')}))))`;

/** Rounded with the zero point in, as ORT does: half to even would else go another way. */
const centred = (value: string) =>
  `(i32x4.sub ${round(clamp(value, get('sumLo'), get('sumHi')))} ${get('sumZero')})`;

/**
 * Stores 8 channels of one pixel: requantized, plus the residual where there is one.
 *
 * @param acc0 channels 0 to 3 as int32; @param acc1 channels 4 to 7.
 */
export function finishPixel(acc0: string, acc1: string): string {
  return `
  ${set(
    'q',
    `(i16x8.narrow_i32x4_s
      ${round(clamp(scaled(acc0, get('mul0')), get('lo'), get('hi')))}
      ${round(clamp(scaled(acc1, get('mul1')), get('lo'), get('hi')))})`,
  )}
  (if ${get('residual')} (then
    ${set('r', `(v128.load ${get('residual')})`)}
    ${(['low', 'high'] as const)
      .map(
        (which, index) => `
    ${set(`q${index}`, term(half(which, get('q')), get('ownZero'), get('ownScale')))}
    ${set(`r${index}`, term(half(which, get('r')), get('resZero'), get('resScale')))}
    ${set(`q${index}`, sum(get(`q${index}`), get(`r${index}`)))}`,
      )
      .join('\n')}
    ${set(
      'q',
      `(i16x8.narrow_i32x4_s
      ${centred(get('q0'))}
      ${centred(get('q1'))})`,
    )}))
  (v128.store ${get('output')} ${get('q')})`;
}
