import { meanWeights, pass1Half, pass1Shift, pass2Bias, pass2Shift } from '../../image/jpeg/idct-scaled.ts';
import { get, i32, increase, repeat, set, toFunction } from '../../wasm-text/wat.ts';

const { dc, outer, inner, half } = meanWeights;
const splat = (value: number) => `(v128.const i32x4 ${Array(4).fill(value).join(' ')})`;
const sum = (first: string, ...others: string[]) =>
  others.reduce((total, other) => `(i32x4.add ${total} ${other})`, first);
const difference = (a: string, b: string) => `(i32x4.sub ${a} ${b})`;
const weighted = (frequency: number, weight: number) =>
  `(i32x4.mul ${get(`d${frequency}`)} ${splat(weight)})`;

const clearBlock = repeat(16, (index) => `(v128.store offset=${index * 16} ${get('block')} ${splat(0)})`);

/** Means of `d0`, `d1`, `d2`, `d3`, `d5`, `d6` into the four vectors that `to` names, of four columns or rows at once. */
const means = (to: readonly string[], bias: number, shift: number) => {
  const even = (weights: typeof outer | typeof inner) =>
    sum(get('flat'), weighted(2, weights[2]), weighted(6, weights[6]));
  const odd = (weights: typeof outer | typeof inner) =>
    sum(weighted(1, weights[1]), weighted(3, weights[3]), weighted(5, weights[5]));
  const output = (index: number, value: string) => set(to[index], `(i32x4.shr_s ${value} ${i32(shift)})`);
  return `
    ${set('flat', sum(weighted(0, dc), splat(bias)))}
    ${set('even', even(outer))}
    ${set('odd', odd(outer))}
    ${output(0, sum(get('even'), get('odd')))}
    ${output(3, difference(get('even'), get('odd')))}
    ${set('even', even(inner))}
    ${set('odd', odd(inner))}
    ${output(1, sum(get('even'), get('odd')))}
    ${output(2, difference(get('even'), get('odd')))}`;
};

/** Rows 0 to 6 of the coefficients, as far as a mean needs them, columns 0 to 3 or 4 to 7. */
const loadRows = (right: 0 | 1) =>
  [0, 1, 2, 3, 5, 6]
    .map((row) => set(`d${row}`, `(v128.load offset=${row * 32 + right * 16} ${get('block')})`))
    .join('\n');

const lanes = (order: readonly number[], a: string, b: string) =>
  `(i8x16.shuffle ${order.flatMap((lane) => [0, 1, 2, 3].map((byte) => lane * 4 + byte)).join(' ')} ${get(a)} ${get(b)})`;

const left = ['l0', 'l1', 'l2', 'l3'] as const;
const right = ['r0', 'r1', 'r2', 'r3'] as const;

/** Lane 0 of all four outputs, then lane 1 of all: bytes of four rows. */
const byRow = [0, 1, 2, 3].flatMap((row) => [0, 4, 8, 12].map((column) => column + row));

/**
 * An 8 x 8 block of 64 i32 coefficients to 4 x 4 samples, and the block to zeros: `idct4` of
 * src/image/jpeg/idct-scaled.ts on four columns, then four rows at once.
 */
export const idct4 = toFunction({
  name: 'idct_4',
  exported: true,
  params: ['block', 'out', 'stride'],
  v128: ['d0', 'd1', 'd2', 'd3', 'd5', 'd6', 'flat', 'even', 'odd', ...left, ...right],
  body: `
  ${loadRows(0)}
  ${means(left, pass1Half, pass1Shift)}
  ${loadRows(1)}
  ${means(right, pass1Half, pass1Shift)}
  ${clearBlock}
  ${set('even', lanes([0, 4, 1, 5], 'l0', 'l1'))}
  ${set('odd', lanes([0, 4, 1, 5], 'l2', 'l3'))}
  ${set('d0', lanes([0, 1, 4, 5], 'even', 'odd'))}
  ${set('d1', lanes([2, 3, 6, 7], 'even', 'odd'))}
  ${set('even', lanes([2, 6, 3, 7], 'l0', 'l1'))}
  ${set('odd', lanes([2, 6, 3, 7], 'l2', 'l3'))}
  ${set('d2', lanes([0, 1, 4, 5], 'even', 'odd'))}
  ${set('d3', lanes([2, 3, 6, 7], 'even', 'odd'))}
  ${set('even', lanes([1, 5, 2, 6], 'r0', 'r1'))}
  ${set('odd', lanes([1, 5, 2, 6], 'r2', 'r3'))}
  ${set('d5', lanes([0, 1, 4, 5], 'even', 'odd'))}
  ${set('d6', lanes([2, 3, 6, 7], 'even', 'odd'))}
  ${means(left, pass2Bias, pass2Shift)}
  ${set(
    'l0',
    `(i8x16.narrow_i16x8_u (i16x8.narrow_i32x4_s ${get('l0')} ${get('l1')})
      (i16x8.narrow_i32x4_s ${get('l2')} ${get('l3')}))`,
  )}
  ${set('l0', `(i8x16.shuffle ${byRow.join(' ')} ${get('l0')} ${get('l0')})`)}
  ${repeat(4, (row) => `(v128.store32_lane ${row} ${get('out')} ${get('l0')}) ${row < 3 ? increase('out', get('stride')) : ''}`)}`,
});

const coefficient = (row: number, column: number) =>
  `(i32.load offset=${(row * 8 + column) * 4} ${get('block')})`;
const product = (value: string, weight: number) => `(i32.mul ${value} ${i32(weight)})`;
const add = (a: string, b: string) => `(i32.add ${a} ${b})`;
const sub = (a: string, b: string) => `(i32.sub ${a} ${b})`;
const shiftRight = (value: string, by: number) => `(i32.shr_s ${value} ${i32(by)})`;
const columns = [0, 1, 3] as const;
const clamped = (name: string) =>
  `(select (i32.const 255) ${get(name)} (i32.gt_s ${get(name)} (i32.const 255)))`;

/** Two samples of one row, of `rows` (upper or lower) of the three columns. */
const twoSamples = (rows: '+' | '-') => {
  const column = (k: number) => {
    const value = rows === '+' ? add(get(`even${k}`), get(`odd${k}`)) : sub(get(`even${k}`), get(`odd${k}`));
    return shiftRight(value, pass1Shift);
  };
  const sample = (offset: number) => `
    ${set('value', `(select (i32.const 0) ${get('value')} (i32.lt_s ${get('value')} (i32.const 0)))`)}
    (i32.store8 offset=${offset} ${get('out')} ${clamped('value')})`;
  return `
    ${set('even', add(product(column(0), dc), i32(pass2Bias)))}
    ${set('odd', add(product(column(1), half[1]), product(column(3), half[3])))}
    ${set('value', shiftRight(add(get('even'), get('odd')), pass2Shift))} ${sample(0)}
    ${set('value', shiftRight(sub(get('even'), get('odd')), pass2Shift))} ${sample(1)}`;
};

/** An 8 x 8 block of 64 i32 coefficients to 2 x 2 samples, and the block to zeros: `idct2` of idct-scaled.ts. */
export const idct2 = toFunction({
  name: 'idct_2',
  exported: true,
  params: ['block', 'out', 'stride'],
  i32: ['even', 'odd', 'value', ...columns.flatMap((k) => [`even${k}`, `odd${k}`])],
  body: `
  ${columns
    .map(
      (k) => `
    ${set(`even${k}`, add(product(coefficient(0, k), dc), i32(pass1Half)))}
    ${set(`odd${k}`, add(product(coefficient(1, k), half[1]), product(coefficient(3, k), half[3])))}`,
    )
    .join('\n')}
  ${clearBlock}
  ${twoSamples('+')}
  ${increase('out', get('stride'))}
  ${twoSamples('-')}`,
});
