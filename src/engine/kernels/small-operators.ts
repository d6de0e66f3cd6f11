import { round } from './requantize.ts';
import { get, i32, increase, loop, mul, set, toFunction } from './wat.ts';

const shl1 = (value: string) => `(i32.shl ${value} (i32.const 1))`;
const splat = (name: string) => `(f32x4.splat ${get(name)})`;

/**
 * FP32 NCHW (3 channels) to centred int16 NHWC with 4 channels, the fourth 0: divide by the scale,
 * clamp, round half to even, as ONNX's QuantizeLinear. `low` and `high` are 0 and 255 less the zero point.
 */
const quantizeInput = toFunction({
  name: 'quantize_input',
  exported: true,
  params: ['source', 'target', 'height', 'width', 'targetRow', 'scale', 'low', 'high'],
  types: { scale: 'f32', low: 'f32', high: 'f32' },
  i32: ['y', 'x', 'plane', 'out', 'channel'],
  body: `
  ${set('plane', `(i32.shl ${mul(get('height'), get('width'))} (i32.const 2))`)}
  ${loop(
    'y',
    get('height'),
    1,
    `${set('out', get('target'))}
     ${loop(
       'x',
       get('width'),
       1,
       `(i64.store ${get('out')} (i64x2.extract_lane 0 (i16x8.narrow_i32x4_s ${round(
         `(f32x4.pmin ${splat('high')} (f32x4.pmax ${splat('low')} (f32x4.div
            (f32x4.replace_lane 2 (f32x4.replace_lane 1 (f32x4.replace_lane 0 (v128.const f32x4 0 0 0 0)
              (f32.load ${get('source')}))
              (f32.load (i32.add ${get('source')} ${get('plane')})))
              (f32.load (i32.add ${get('source')} ${shl1(get('plane'))})))
            ${splat('scale')})))`,
       )} (v128.const i32x4 0 0 0 0))))
        ${increase('source', i32(4))}
        ${increase('out', i32(8))}`,
     )}
     ${increase('target', get('targetRow'))}`,
  )}`,
});

/** Maximum over a window; the border of the input holds the smallest value there is. */
const maxPool = toFunction({
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
  i32: ['y', 'x', 'k', 'ky', 'kx', 'in', 'out'],
  v128: ['best'],
  body: loop(
    'y',
    get('height'),
    1,
    loop(
      'x',
      get('width'),
      1,
      loop(
        'k',
        shl1(get('channels')),
        16,
        `${set('in', `(i32.add (i32.add (i32.add ${get('source')} ${get('k')}) ${mul(mul(get('y'), get('strideY')), get('sourceRow'))}) ${mul(mul(get('x'), get('strideX')), shl1(get('channels')))})`)}
         ${set('best', `(v128.load ${get('in')})`)}
         ${loop(
           'ky',
           get('kernelHeight'),
           1,
           loop(
             'kx',
             get('kernelWidth'),
             1,
             set(
               'best',
               `(i16x8.max_s ${get('best')} (v128.load (i32.add ${get('in')} (i32.add ${mul(get('ky'), get('sourceRow'))} ${mul(get('kx'), shl1(get('channels')))}))))`,
             ),
           ),
         )}
         ${set('out', `(i32.add (i32.add (i32.add ${get('target')} ${get('k')}) ${mul(get('y'), get('targetRow'))}) ${mul(get('x'), shl1(get('channels')))})`)}
         (v128.store ${get('out')} ${get('best')})`,
      ),
    ),
  ),
});

/** Mean over all pixels, requantized: the sum times one multiplier, as ORT's QLinearGlobalAveragePool. */
const averagePool = toFunction({
  name: 'global_average_pool',
  exported: true,
  params: ['source', 'target', 'height', 'width', 'channels', 'sourceRow', 'multiplier', 'low', 'high'],
  types: { multiplier: 'f32', low: 'f32', high: 'f32' },
  i32: ['y', 'x', 'k', 'row', 'in'],
  v128: ['sum0', 'sum1', 'value'],
  body: loop(
    'k',
    shl1(get('channels')),
    16,
    `${set('sum0', '(v128.const i32x4 0 0 0 0)')} ${set('sum1', '(v128.const i32x4 0 0 0 0)')}
     ${set('row', `(i32.add ${get('source')} ${get('k')})`)}
     ${loop(
       'y',
       get('height'),
       1,
       `${set('in', get('row'))}
        ${loop(
          'x',
          get('width'),
          1,
          `${set('value', `(v128.load ${get('in')})`)}
           ${set('sum0', `(i32x4.add ${get('sum0')} (i32x4.extend_low_i16x8_s ${get('value')}))`)}
           ${set('sum1', `(i32x4.add ${get('sum1')} (i32x4.extend_high_i16x8_s ${get('value')}))`)}
           ${increase('in', shl1(get('channels')))}`,
        )}
        ${increase('row', get('sourceRow'))}`,
     )}
     (v128.store (i32.add ${get('target')} ${get('k')}) (i16x8.narrow_i32x4_s
       ${round(`(f32x4.pmin ${splat('high')} (f32x4.pmax ${splat('low')} (f32x4.mul (f32x4.convert_i32x4_s ${get('sum0')}) ${splat('multiplier')})))`)}
       ${round(`(f32x4.pmin ${splat('high')} (f32x4.pmax ${splat('low')} (f32x4.mul (f32x4.convert_i32x4_s ${get('sum1')}) ${splat('multiplier')})))`)}))`,
  ),
});

/** The classifier: int32 sums to FP32 logits, one multiplier a class. Weights in panels like a 1 x 1 convolution's. */
const classify = toFunction({
  name: 'classify',
  exported: true,
  params: [
    'source',
    'weights',
    'bias',
    'multiplier',
    'target',
    'classes',
    'length',
    'pointers',
    'accumulators',
  ],
  i32: ['n'],
  body: `
  (i32.store ${get('pointers')} ${get('source')})
  ${loop(
    'n',
    get('classes'),
    8,
    `(call $dot_i8_1 ${get('weights')} (i32.const 1) ${get('length')} (i32.const 0) ${get('bias')})
     (v128.store ${get('target')} (f32x4.mul (f32x4.convert_i32x4_s (v128.load ${get('accumulators')})) (v128.load ${get('multiplier')})))
     (v128.store offset=16 ${get('target')} (f32x4.mul (f32x4.convert_i32x4_s (v128.load offset=16 ${get('accumulators')})) (v128.load offset=16 ${get('multiplier')})))
     ${increase('weights', mul(get('length'), i32(8)))}
     ${increase('bias', i32(32))} ${increase('multiplier', i32(32))} ${increase('target', i32(32))}`,
  )}`,
});

/** Writes one int16 value over and over: the borders of a padded activation. */
const fill = toFunction({
  name: 'fill',
  exported: true,
  params: ['target', 'count', 'value'],
  i32: ['i'],
  body: loop(
    'i',
    get('count'),
    1,
    `(i32.store16 (i32.add ${get('target')} ${shl1(get('i'))}) ${get('value')})`,
  ),
});

export const smallOperators = [quantizeInput, maxPool, averagePool, classify, fill].join('\n');
