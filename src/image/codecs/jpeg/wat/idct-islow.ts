import {
  get,
  i32,
  increase,
  repeat,
  set,
  shuffle32,
  splat32,
  toFunction,
} from '../../../../lib/wasm-text/wat.ts';

const times = (a: string, constant: number) => `(i32x4.mul ${a} ${splat32(constant)})`;
const add = (a: string, b: string) => `(i32x4.add ${a} ${b})`;
const sub = (a: string, b: string) => `(i32x4.sub ${a} ${b})`;
const d = (index: number) => get(`d${index}`);

/** One pass over `d0` to `d7`, four columns or rows at once, in place. Constants are value x 2^13, rounded. */
const pass = (bias: number, shift: number) => {
  const output = (index: number, even: string, odd: string) => `
    ${set(`d${index}`, `(i32x4.shr_s ${add(get(even), get(odd))} ${i32(shift)})`)}
    ${set(`d${7 - index}`, `(i32x4.shr_s ${sub(get(even), get(odd))} ${i32(shift)})`)}`;
  const centre = (sum: string) => add(`(i32x4.shl ${sum} ${i32(13)})`, splat32(bias));
  return `
  ${set('z1', times(add(d(2), d(6)), 4433))}
  ${set('even2', sub(get('z1'), times(d(6), 15_137)))}
  ${set('even3', add(get('z1'), times(d(2), 6270)))}
  ${set('even0', centre(add(d(0), d(4))))}
  ${set('even1', centre(sub(d(0), d(4))))}
  ${set('sum0', add(get('even0'), get('even3')))}
  ${set('sum3', sub(get('even0'), get('even3')))}
  ${set('sum1', add(get('even1'), get('even2')))}
  ${set('sum2', sub(get('even1'), get('even2')))}
  ${set('z3', add(d(7), d(3)))}
  ${set('z4', add(d(5), d(1)))}
  ${set('z1', times(add(get('z3'), get('z4')), 9633))}
  ${set('z3', sub(get('z1'), times(get('z3'), 16_069)))}
  ${set('z4', sub(get('z1'), times(get('z4'), 3196)))}
  ${set('z1', times(add(d(7), d(1)), 7373))}
  ${set('z2', times(add(d(5), d(3)), 20_995))}
  ${set('odd0', add(sub(times(d(7), 2446), get('z1')), get('z3')))}
  ${set('odd1', add(sub(times(d(5), 16_819), get('z2')), get('z4')))}
  ${set('odd2', add(sub(times(d(3), 25_172), get('z2')), get('z3')))}
  ${set('odd3', add(sub(times(d(1), 12_299), get('z1')), get('z4')))}
  ${output(0, 'sum0', 'odd3')}
  ${output(1, 'sum1', 'odd2')}
  ${output(2, 'sum2', 'odd1')}
  ${output(3, 'sum3', 'odd0')}`;
};

/** Stores four vectors as columns, 16 bytes apart. */
const storeTransposed = (first: number, address: string, offset: number) => {
  const [a, b, c, e] = [0, 1, 2, 3].map((index) => d(first + index)) as [string, string, string, string];
  const store = (column: number, value: string) =>
    `(v128.store offset=${offset + column * 16} ${get(address)} ${value})`;
  return `
  ${set('z1', shuffle32([0, 4, 1, 5], a, b))}
  ${set('z2', shuffle32([0, 4, 1, 5], c, e))}
  ${store(0, shuffle32([0, 1, 4, 5], get('z1'), get('z2')))}
  ${store(1, shuffle32([2, 3, 6, 7], get('z1'), get('z2')))}
  ${set('z1', shuffle32([2, 6, 3, 7], a, b))}
  ${set('z2', shuffle32([2, 6, 3, 7], c, e))}
  ${store(2, shuffle32([0, 1, 4, 5], get('z1'), get('z2')))}
  ${store(3, shuffle32([2, 3, 6, 7], get('z1'), get('z2')))}`;
};

/** Four rows of eight samples, of which `d0` to `d7` hold the columns. */
const storeSamples = () => {
  const narrow = (first: number) => `(i8x16.narrow_i16x8_u
    (i16x8.narrow_i32x4_s ${d(first)} ${d(first + 1)}) (i16x8.narrow_i32x4_s ${d(first + 2)} ${d(first + 3)}))`;
  const rows = (row: number) =>
    [row, row + 1].flatMap((r) => [0, 4, 8, 12, 16, 20, 24, 28].map((column) => column + r)).join(' ');
  const two = (row: number) => `
  ${set('z3', `(i8x16.shuffle ${rows(row)} ${get('z1')} ${get('z2')})`)}
  (v128.store64_lane 0 ${get('out')} ${get('z3')}) ${increase('out', get('stride'))}
  (v128.store64_lane 1 ${get('out')} ${get('z3')}) ${increase('out', get('stride'))}`;
  return `${set('z1', narrow(0))} ${set('z2', narrow(4))} ${two(0)} ${two(2)}`;
};

const half = 32 * 4;

/**
 * An 8 x 8 block of 64 i32 coefficients to samples, and the block to zeros: src/image/codecs/jpeg/idct-islow.ts on
 * four columns, then four rows at once. All sums are modulo 2^32, as there.
 *
 * @see libjpeg jidctint.c, `jpeg_idct_islow`
 */
export const idctIslow = toFunction({
  name: 'idct_islow',
  exported: true,
  params: ['block', 'workspace', 'out', 'stride'],
  v128: [
    ...Array.from({ length: 8 }, (_, index) => `d${index}`),
    ...['z1', 'z2', 'z3', 'z4', 'even0', 'even1', 'even2', 'even3'],
    ...['sum0', 'sum1', 'sum2', 'sum3', 'odd0', 'odd1', 'odd2', 'odd3'],
  ],
  body: `
  ${[0, 1]
    .map(
      (side) => `
    ${repeat(8, (row) => set(`d${row}`, `(v128.load offset=${row * 32 + side * 16} ${get('block')})`))}
    ${pass(1 << 10, 11)}
    ${storeTransposed(0, 'workspace', side * 64)}
    ${storeTransposed(4, 'workspace', half + side * 64)}`,
    )
    .join('\n')}
  ${repeat(16, (index) => `(v128.store offset=${index * 16} ${get('block')} ${splat32(0)})`)}
  ${[0, 1]
    .map(
      (rows) => `
    ${repeat(8, (column) => set(`d${column}`, `(v128.load offset=${rows * half + column * 16} ${get('workspace')})`))}
    ${pass((1 << 17) + (128 << 18), 18)}
    ${storeSamples()}`,
    )
    .join('\n')}`,
});
