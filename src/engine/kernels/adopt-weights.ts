import { add, get, increase, loop, mul, set, toFunction } from '../../lib/wasm-text/wat.ts';
import { panelChannels } from '../kernel-layout.ts';

const channelSums = (weights: string) =>
  `(i32x4.extadd_pairwise_i16x8_s (i16x8.extadd_pairwise_i8x16_s ${weights}))`;
const subtract = (offset: number, sums: string) =>
  `(v128.store offset=${offset} ${get('bias')} (i32x4.sub (v128.load offset=${offset} ${get('bias')})
     (i32x4.mul (i32x4.splat ${get('zeroPoint')}) ${get(sums)})))`;

/**
 * Weights as the file holds them, pairs of elements for each of 8 channels, become groups of four, in
 * their place: the two orders differ within 32 bytes only. U8 activations carry their zero point into
 * the sums; each channel's share, zero point x sum of weights, goes off its bias here.
 */
export const adoptWeights = toFunction({
  name: 'adopt_weights',
  exported: true,
  params: ['weights', 'panelBytes', 'channels', 'bias', 'zeroPoint'],
  i32: ['n', 'i', 'at'],
  v128: ['a', 'b', 'sum0', 'sum1'],
  body: loop(
    'n',
    get('channels'),
    panelChannels,
    `${set('sum0', '(v128.const i32x4 0 0 0 0)')} ${set('sum1', '(v128.const i32x4 0 0 0 0)')}
     ${loop(
       'i',
       get('panelBytes'),
       32,
       `${set('at', add(get('weights'), get('i')))}
        ${set('a', `(v128.load ${get('at')})`)} ${set('b', `(v128.load offset=16 ${get('at')})`)}
        (v128.store ${get('at')} (i8x16.shuffle 0 1 16 17 2 3 18 19 4 5 20 21 6 7 22 23 ${get('a')} ${get('b')}))
        (v128.store offset=16 ${get('at')} (i8x16.shuffle 8 9 24 25 10 11 26 27 12 13 28 29 14 15 30 31 ${get('a')} ${get('b')}))
        ${set('sum0', `(i32x4.add ${get('sum0')} ${channelSums(`(v128.load ${get('at')})`)})`)}
        ${set('sum1', `(i32x4.add ${get('sum1')} ${channelSums(`(v128.load offset=16 ${get('at')})`)})`)}`,
     )}
     ${subtract(0, 'sum0')} ${subtract(16, 'sum1')}
     ${increase('weights', get('panelBytes'))}
     ${increase('bias', mul('(i32.const 4)', `(i32.const ${panelChannels})`))}`,
  ),
});

/** The instruction under test, on operands in memory: so that no compiler can work it out beforehand. */
export const probeDot = toFunction({
  name: 'probe_dot',
  exported: true,
  params: ['weights', 'inputs', 'accumulators'],
  body: `(v128.store ${get('accumulators')} (i32x4.relaxed_dot_i8x16_i7x16_add_s
    (v128.load ${get('weights')}) (v128.load ${get('inputs')}) (v128.load ${get('accumulators')})))`,
});
