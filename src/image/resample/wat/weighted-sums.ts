import { add, get, i32, increase, loop, set, toFunction } from '../../../lib/wasm-text/wat.ts';

/** Adds eight samples times a weight to eight sums, which `low` and `high` hold. */
const addEight = (samples: string, weight: string) => `
  ${set('eight', `(v128.load8x8_u ${samples})`)}
  ${set('low', `(i32x4.add ${get('low')} (i32x4.mul ${get(weight)} (i32x4.extend_low_i16x8_u ${get('eight')})))`)}
  ${set('high', `(i32x4.add ${get('high')} (i32x4.mul ${get(weight)} (i32x4.extend_high_i16x8_u ${get('eight')})))`)}`;
const loadSums = `
  ${set('low', `(v128.load ${get('sums')})`)}
  ${set('high', `(v128.load offset=16 ${get('sums')})`)}`;
const storeSums = `
  (v128.store ${get('sums')} ${get('low')})
  (v128.store offset=16 ${get('sums')} ${get('high')})`;
const splat = (name: string, value: string) => set(name, `(i32x4.splat ${get(value)})`);

/** `sums[i] += samples[i] * weight`; `count` is a multiple of 8. */
export const addWeighted = toFunction({
  name: 'add_weighted',
  exported: true,
  params: ['sums', 'samples', 'count', 'weight'],
  i32: ['i'],
  v128: ['eight', 'low', 'high', 'factor'],
  body: `${splat('factor', 'weight')}
    ${loop(
      'i',
      get('count'),
      8,
      `${loadSums} ${addEight(get('samples'), 'factor')} ${storeSums}
       ${increase('samples', i32(8))} ${increase('sums', i32(32))}`,
    )}`,
});

/** Four rows at once, `stride` bytes apart; `count` is a multiple of 8. */
export const addWeightedRows = toFunction({
  name: 'add_weighted_rows',
  exported: true,
  params: ['sums', 'row', 'stride', 'count', 'w0', 'w1', 'w2', 'w3'],
  i32: ['i', 'second', 'third', 'fourth'],
  v128: ['eight', 'low', 'high', 'f0', 'f1', 'f2', 'f3'],
  body: `${splat('f0', 'w0')} ${splat('f1', 'w1')} ${splat('f2', 'w2')} ${splat('f3', 'w3')}
    ${set('second', add(get('row'), get('stride')))}
    ${set('third', add(get('second'), get('stride')))}
    ${set('fourth', add(get('third'), get('stride')))}
    ${loop(
      'i',
      get('count'),
      8,
      `${loadSums}
       ${addEight(add(get('row'), get('i')), 'f0')}
       ${addEight(add(get('second'), get('i')), 'f1')}
       ${addEight(add(get('third'), get('i')), 'f2')}
       ${addEight(add(get('fourth'), get('i')), 'f3')}
       ${storeSums} ${increase('sums', i32(32))}`,
    )}`,
});

/** Sums to samples, clamped to 0 to 255, and the sums back to one half; `count` is a multiple of 16. */
export const finishSums = (precisionBits: number) => {
  const shifted = (offset: number) =>
    `(i32x4.shr_s (v128.load offset=${offset} ${get('sums')}) ${i32(precisionBits)})`;
  const narrowed = (offset: number) => `(i16x8.narrow_i32x4_s ${shifted(offset)} ${shifted(offset + 16)})`;
  const bias = 1 << (precisionBits - 1);
  return toFunction({
    name: 'finish_sums',
    exported: true,
    params: ['sums', 'out', 'count'],
    i32: ['i'],
    v128: ['half'],
    body: `${set('half', `(v128.const i32x4 ${Array(4).fill(bias).join(' ')})`)}
    ${loop(
      'i',
      get('count'),
      16,
      `(v128.store ${get('out')} (i8x16.narrow_i16x8_u ${narrowed(0)} ${narrowed(32)}))
       ${[0, 16, 32, 48].map((offset) => `(v128.store offset=${offset} ${get('sums')} ${get('half')})`).join('\n')}
       ${increase('out', i32(16))} ${increase('sums', i32(64))}`,
    )}`,
  });
};
