import { add, get, i32, increase, loop, mul, set, toFunction } from '../../lib/wasm-text/wat.ts';
import type { Activations } from './activations.ts';
import { accumulator, dotLoop, dotLoopLocals, pointer } from './dot-loop.ts';
import { round } from './requantize.ts';

const splat = (name: string) => `(f32x4.splat ${get(name)})`;
const clamped = (value: string) => `(f32x4.pmin ${splat('high')} (f32x4.pmax ${splat('low')} ${value}))`;
const bytes = (count: string, { bytes }: Activations) => mul(count, i32(bytes));

/** Four pixels of three int32 channels each as NHWC. */
function storePixels({ bytes }: Activations): string {
  const [red, green, blue] = [get('v0'), get('v1'), get('v2')];
  if (bytes === 1) {
    return `
    ${set('v0', `(v128.or ${red} (v128.or (i32x4.shl ${green} (i32.const 8)) (i32x4.shl ${blue} (i32.const 16))))`)}
    ${set('v0', `(i8x16.shuffle 0 1 2 4 5 6 8 9 10 12 13 14 0 0 0 0 ${red} ${red})`)}
    (v128.store64_lane 0 ${get('out')} ${red}) (v128.store32_lane offset=8 2 ${get('out')} ${red})`;
  }
  return `
  ${set('v0', `(i16x8.narrow_i32x4_s ${red} ${green})`)}
  (v128.store ${get('out')} (i8x16.shuffle 0 1 8 9 16 17 2 3 10 11 20 21 4 5 12 13 ${red} ${blue}))
  (v128.store64_lane offset=16 0 ${get('out')}
    (i8x16.shuffle 24 25 6 7 14 15 28 29 0 0 0 0 0 0 0 0 ${red} ${blue}))`;
}

/**
 * FP32 NCHW to activations, 3 channels each: divide by the scale, clamp, round half to
 * even, as ONNX's QuantizeLinear. `low` and `high` are 0 and 255 less the zero point; `zero` is what
 * is added after rounding. Four pixels at once; the last four of a row may overlap those before.
 */
function quantizeInput(activations: Activations): string {
  const channel = (index: number) => {
    const plane = [get('in'), add(get('in'), get('plane')), add(get('in'), mul(get('plane'), i32(2)))][index];
    return set(
      `v${index}`,
      `(i32x4.add ${round(clamped(`(f32x4.div (v128.load ${plane}) ${splat('scale')})`))} (i32x4.splat ${get('zero')}))`,
    );
  };
  return toFunction({
    name: 'quantize_input',
    exported: true,
    params: ['source', 'target', 'height', 'width', 'targetRow', 'scale', 'low', 'high', 'zero'],
    types: { scale: 'f32', low: 'f32', high: 'f32' },
    i32: ['y', 'x', 'first', 'plane', 'in', 'out', 'last'],
    v128: ['v0', 'v1', 'v2'],
    body: `
  ${set('plane', `(i32.shl ${mul(get('height'), get('width'))} (i32.const 2))`)}
  ${set('last', add(get('width'), i32(-4)))}
  ${loop(
    'y',
    get('height'),
    1,
    `${loop(
      'x',
      get('width'),
      4,
      `${set('first', `(select ${get('x')} ${get('last')} (i32.lt_s ${get('x')} ${get('last')}))`)}
       ${set('in', add(get('source'), mul(get('first'), i32(4))))}
       ${set('out', add(get('target'), bytes(mul(get('first'), i32(3)), activations)))}
       ${channel(0)} ${channel(1)} ${channel(2)}
       ${storePixels(activations)}`,
    )}
     ${increase('source', mul(get('width'), i32(4)))}
     ${increase('target', get('targetRow'))}`,
  )}`,
  });
}

/** Maximum over a window; the border of the input holds the smallest value there is. */
function maxPool(activations: Activations): string {
  const channels = bytes(get('channels'), activations);
  const source = add(
    add(get('source'), get('k')),
    add(
      mul(mul(get('y'), get('strideY')), get('sourceRow')),
      mul(mul(get('x'), get('strideX')), get('pixel')),
    ),
  );
  return toFunction({
    name: 'max_pool',
    exported: true,
    params: [
      'source',
      'target',
      'height',
      'width',
      'channels',
      'sourceRow',
      'targetRow',
      'kernelHeight',
      'kernelWidth',
      'strideY',
      'strideX',
    ],
    i32: ['y', 'x', 'k', 'ky', 'kx', 'in', 'row', 'out', 'pixel'],
    v128: ['best'],
    body: `
  ${set('pixel', channels)}
  ${loop(
    'y',
    get('height'),
    1,
    `${set('out', add(get('target'), mul(get('y'), get('targetRow'))))}
     ${loop(
       'x',
       get('width'),
       1,
       loop(
         'k',
         get('pixel'),
         8 * activations.bytes,
         `${set('row', source)}
          ${set('best', activations.load(get('row')))}
          ${loop(
            'ky',
            get('kernelHeight'),
            1,
            `${set('in', get('row'))}
             ${loop(
               'kx',
               get('kernelWidth'),
               1,
               `${set('best', activations.max(get('best'), activations.load(get('in'))))}
                ${increase('in', get('pixel'))}`,
             )}
             ${increase('row', get('sourceRow'))}`,
          )}
          ${activations.storeLoaded(get('out'), get('best'))}
          ${increase('out', i32(8 * activations.bytes))}`,
       ),
     )}`,
  )}`,
  });
}

/**
 * Mean over all pixels, requantized: the sum times one multiplier, as ORT's QLinearGlobalAveragePool.
 * `start` takes the zero points out of a sum of U8 values, `zero` is what is added after rounding.
 */
function averagePool(activations: Activations): string {
  const result = (sum: string) =>
    `(i32x4.add ${round(clamped(`(f32x4.mul (f32x4.convert_i32x4_s ${get(sum)}) ${splat('multiplier')})`))} (i32x4.splat ${get('zero')}))`;
  const accumulate = (sum: string, half: 'low' | 'high') =>
    set(sum, `(i32x4.add ${get(sum)} ${activations.widen(half, get('value'))})`);
  return toFunction({
    name: 'global_average_pool',
    exported: true,
    params: [
      'source',
      'target',
      'height',
      'width',
      'channels',
      'sourceRow',
      'multiplier',
      'low',
      'high',
      'start',
      'zero',
    ],
    types: { multiplier: 'f32', low: 'f32', high: 'f32' },
    i32: ['y', 'x', 'k', 'row', 'in'],
    v128: ['sum0', 'sum1', 'value'],
    body: loop(
      'k',
      bytes(get('channels'), activations),
      8 * activations.bytes,
      `${set('sum0', `(i32x4.splat ${get('start')})`)} ${set('sum1', get('sum0'))}
     ${set('row', add(get('source'), get('k')))}
     ${loop(
       'y',
       get('height'),
       1,
       `${set('in', get('row'))}
        ${loop(
          'x',
          get('width'),
          1,
          `${set('value', activations.load(get('in')))}
           ${accumulate('sum0', 'low')} ${accumulate('sum1', 'high')}
           ${increase('in', bytes(get('channels'), activations))}`,
        )}
        ${increase('row', get('sourceRow'))}`,
     )}
     ${activations.store(add(get('target'), get('k')), result('sum0'), result('sum1'))}`,
    ),
  });
}

/** The classifier: int32 sums to FP32 logits, one multiplier a class. Weights in panels like a 1 x 1 convolution's. */
function classify(activations: Activations): string {
  const { i32: ints, v128 } = dotLoopLocals(1);
  const logits = (vector: number) =>
    `(v128.store offset=${vector * 16} ${get('target')} (f32x4.mul
      (f32x4.convert_i32x4_s ${get(accumulator(0, vector))}) (v128.load offset=${vector * 16} ${get('multiplier')})))`;
  return toFunction({
    name: 'classify',
    exported: true,
    params: ['source', 'w', 'bias', 'multiplier', 'target', 'classes', 'length'],
    i32: [...ints, 'n'],
    v128,
    body: loop(
      'n',
      get('classes'),
      8,
      `${set(pointer(0), get('source'))}
       ${dotLoop(1, activations.singleOperands, { bias: get('bias'), length: get('length') })}
       ${logits(0)} ${logits(1)}
       ${increase('bias', i32(32))} ${increase('multiplier', i32(32))} ${increase('target', i32(32))}`,
    ),
  });
}

/** Writes `value` from `target` on, and up to 15 bytes past the run's end: what lies there is written later. */
const fill = (count: string) => `
  ${set('end', add(get('target'), count))}
  (block $full (loop $fill
    (br_if $full (i32.ge_u ${get('target')} ${get('end')}))
    (v128.store ${get('target')} (i32x4.splat ${get('value')}))
    ${increase('target', i32(16))}
    (br $fill)))
  ${set('target', get('end'))}`;

/**
 * The border around an activation. Between two rows the right and the left border are one run of
 * memory: `edge` bytes; a row's interior has `inside`. All sizes are in bytes; `value` fills four of them.
 */
const fillBorder = toFunction({
  name: 'fill_border',
  exported: true,
  params: ['target', 'top', 'inside', 'edge', 'height', 'bottom', 'value'],
  i32: ['y', 'end'],
  body: `
  ${fill(get('top'))}
  ${increase('height', i32(-1))}
  ${loop('y', get('height'), 1, `${increase('target', get('inside'))} ${fill(get('edge'))}`)}
  ${increase('target', get('inside'))}
  ${fill(get('bottom'))}`,
});

export function smallOperators(activations: Activations): string {
  return [
    quantizeInput(activations),
    maxPool(activations),
    averagePool(activations),
    classify(activations),
    fillBorder,
  ].join('\n');
}
