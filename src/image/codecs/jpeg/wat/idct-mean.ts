import {
  add,
  get,
  i32,
  increase,
  load,
  mul,
  repeat,
  set,
  shuffle32,
  splat32,
  sub,
  toFunction,
} from '../../../../lib/wasm-text/wat.ts';
import { meanWeights, pass1Half, pass1Shift, pass2Bias, pass2Shift } from '../idct-scaled.ts';

const { dc, outer, inner, half } = meanWeights;
const sum = (a: string, b: string) => `(i32x4.add ${a} ${b})`;
const difference = (a: string, b: string) => `(i32x4.sub ${a} ${b})`;
const weighted = (frequency: number, weight: number) =>
  `(i32x4.mul ${get(`d${frequency}`)} ${splat32(weight)})`;

/** The first four coefficients of so many rows to zero: no others are kept for a mean. */
const clearRows = (rows: number) =>
  repeat(rows, (row) => `(v128.store offset=${row * 32} ${get('block')} ${splat32(0)})`);

/** Means of `d0` to `d3` into `m0` to `m3`, of four columns or rows at once. */
const means = (bias: number, shift: number) => {
  const output = (index: number, value: string) => set(`m${index}`, `(i32x4.shr_s ${value} ${i32(shift)})`);
  const outputs = (index: number, weights: typeof outer | typeof inner) => `
    ${set('even', sum(get('flat'), weighted(2, weights[2])))}
    ${set('odd', sum(weighted(1, weights[1]), weighted(3, weights[3])))}
    ${output(index, sum(get('even'), get('odd')))}
    ${output(3 - index, difference(get('even'), get('odd')))}`;
  return `${set('flat', sum(weighted(0, dc), splat32(bias)))} ${outputs(0, outer)} ${outputs(1, inner)}`;
};

/** Lane 0 of four vectors, then lane 1 of all. */
const byRow = [0, 1, 2, 3].flatMap((row) => [0, 4, 8, 12].map((column) => column + row));

/**
 * An 8 x 8 block of 64 i32 coefficients to 4 x 4 samples, and those that are kept for them to zeros: `idct4` of
 * src/image/codecs/jpeg/idct-scaled.ts on four columns, then four rows at once.
 */
export const idct4 = toFunction({
  name: 'idct_4',
  exported: true,
  params: ['block', 'out', 'stride'],
  v128: ['d0', 'd1', 'd2', 'd3', 'm0', 'm1', 'm2', 'm3', 'flat', 'even', 'odd'],
  body: `
  ${repeat(4, (row) => set(`d${row}`, `(v128.load offset=${row * 32} ${get('block')})`))}
  ${clearRows(5)}
  ${means(pass1Half, pass1Shift)}
  ${set('even', shuffle32([0, 4, 1, 5], get('m0'), get('m1')))}
  ${set('odd', shuffle32([0, 4, 1, 5], get('m2'), get('m3')))}
  ${set('d0', shuffle32([0, 1, 4, 5], get('even'), get('odd')))}
  ${set('d1', shuffle32([2, 3, 6, 7], get('even'), get('odd')))}
  ${set('even', shuffle32([2, 6, 3, 7], get('m0'), get('m1')))}
  ${set('odd', shuffle32([2, 6, 3, 7], get('m2'), get('m3')))}
  ${set('d2', shuffle32([0, 1, 4, 5], get('even'), get('odd')))}
  ${set('d3', shuffle32([2, 3, 6, 7], get('even'), get('odd')))}
  ${means(pass2Bias, pass2Shift)}
  ${set(
    'm0',
    `(i8x16.narrow_i16x8_u (i16x8.narrow_i32x4_s ${get('m0')} ${get('m1')})
      (i16x8.narrow_i32x4_s ${get('m2')} ${get('m3')}))`,
  )}
  ${set('m0', `(i8x16.shuffle ${byRow.join(' ')} ${get('m0')} ${get('m0')})`)}
  ${repeat(4, (row) => `(v128.store32_lane ${row} ${get('out')} ${get('m0')}) ${row < 3 ? increase('out', get('stride')) : ''}`)}`,
});

const coefficient = (row: number, column: number) => load(get('block'), (row * 8 + column) * 4);
const shiftRight = (value: string, by: number) => `(i32.shr_s ${value} ${i32(by)})`;
const limited = (name: string, limit: number, comparison: 'lt_s' | 'gt_s') =>
  set(name, `(select ${i32(limit)} ${get(name)} (i32.${comparison} ${get(name)} ${i32(limit)}))`);

/** Two samples of the upper row, where both columns are added, or of the lower. */
const twoSamples = (combine: (a: string, b: string) => string) => {
  const column = (k: number) => shiftRight(combine(get(`even${k}`), get(`odd${k}`)), pass1Shift);
  const sample = (offset: number, value: string) => `
    ${set('value', shiftRight(value, pass2Shift))}
    ${limited('value', 0, 'lt_s')}
    ${limited('value', 255, 'gt_s')}
    (i32.store8 offset=${offset} ${get('out')} ${get('value')})`;
  return `
    ${set('even', add(mul(column(0), i32(dc)), i32(pass2Bias)))}
    ${set('odd', mul(column(1), i32(half)))}
    ${sample(0, add(get('even'), get('odd')))}
    ${sample(1, sub(get('even'), get('odd')))}`;
};

/** Likewise to 2 x 2 samples: `idct2` of idct-scaled.ts. */
export const idct2 = toFunction({
  name: 'idct_2',
  exported: true,
  params: ['block', 'out', 'stride'],
  i32: ['even', 'odd', 'value', 'even0', 'odd0', 'even1', 'odd1'],
  body: `
  ${repeat(
    2,
    (k) => `
    ${set(`even${k}`, add(mul(coefficient(0, k), i32(dc)), i32(pass1Half)))}
    ${set(`odd${k}`, mul(coefficient(1, k), i32(half)))}`,
  )}
  ${clearRows(3)}
  ${twoSamples(add)}
  ${increase('out', get('stride'))}
  ${twoSamples(sub)}`,
});
