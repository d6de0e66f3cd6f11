import { get, i32, increase, loop, set, splat16, toFunction } from '../../../../lib/wasm-text/wat.ts';

/** Chroma c, from -128 to 127, in pairs with the other chroma: operands of a dot product. */
const pairs = (half: 'low' | 'high', a: string, b: string) => {
  const from = half === 'low' ? 0 : 8;
  const bytes = [0, 2, 4, 6].flatMap((at) => [from + at, from + at + 1, 16 + from + at, 17 + from + at]);
  return `(i8x16.shuffle ${bytes.join(' ')} ${a} ${b})`;
};

/** `(a * x + b * y + 2^15) >> 16` of eight x and y. */
function scaledSum(x: string, a: number, y: string, b: number): string {
  const factors = `(v128.const i16x8 ${Array(4).fill(`${a} ${b}`).join(' ')})`;
  const part = (which: 'low' | 'high') =>
    `(i32x4.shr_s (i32x4.add (i32x4.dot_i16x8_s ${pairs(which, x, y)} ${factors})
      (v128.const i32x4 32768 32768 32768 32768)) (i32.const 16))`;
  return `(i16x8.narrow_i32x4_s ${part('low')} ${part('high')})`;
}

/** `(a * x + 2^15) >> 16` where `a` is about twice `half`: the same for each x from -128 to 127. */
const scaled = (x: string, half: number) => `(i16x8.q15mulr_sat_s ${x} ${splat16(half)})`;

const sum = (a: string, b: string) => `(i16x8.add ${a} ${b})`;
const chroma = (address: string, offset: number) =>
  `(i16x8.sub (v128.load8x8_u offset=${offset} ${get(address)}) ${splat16(128)})`;

/**
 * The inverse transform of T.871 with libjpeg's coefficients, x 2^16: 91881, 22554, 46802, 116130. Those that
 * have no room in 16 bits are a multiple of 2^16 and a rest: 65536 + 26345, 65536 - 18734, 131072 - 14942.
 */
const eightPixels = (half: 0 | 1) => `
  ${set('luma', `(v128.load8x8_u offset=${half * 8} ${get('y')})`)}
  ${set('blue', chroma('cb', half * 8))}
  ${set('red', chroma('cr', half * 8))}
  ${set(`r${half}`, sum(sum(get('luma'), get('red')), scaled(get('red'), 13_173)))}
  ${set(
    `g${half}`,
    sum(`(i16x8.sub ${get('luma')} ${get('red')})`, scaledSum(get('blue'), -22_554, get('red'), 18_734)),
  )}
  ${set(`b${half}`, sum(sum(get('luma'), sum(get('blue'), get('blue'))), scaled(get('blue'), -7471)))}`;

/** Bytes 16 * `block` and on of 16 pixels as RGB, RGB, ... */
function interleaved(block: number): string {
  const at = Array.from({ length: 16 }, (_, i) => block * 16 + i);
  const redAndGreen = at.map((byte) => (byte % 3 === 2 ? 0 : Math.floor(byte / 3) + (byte % 3) * 16));
  const withBlue = at.map((byte, i) => (byte % 3 === 2 ? 16 + Math.floor(byte / 3) : i));
  return `(v128.store offset=${block * 16} ${get('out')} (i8x16.shuffle ${withBlue.join(' ')}
    (i8x16.shuffle ${redAndGreen.join(' ')} ${get('r0')} ${get('g0')}) ${get('b0')}))`;
}

const narrowed = (name: string) =>
  set(`${name}0`, `(i8x16.narrow_i16x8_u ${get(`${name}0`)} ${get(`${name}1`)})`);

/**
 * One row of Y, Cb and Cr to RGB, 16 pixels a step: reads up to 15 bytes and writes up to 45 behind the last.
 *
 * @see libjpeg jdcolor.c, `ycc_rgb_convert`
 */
export const yccToRgb = toFunction({
  name: 'ycc_to_rgb',
  exported: true,
  params: ['y', 'cb', 'cr', 'out', 'count'],
  i32: ['i'],
  v128: ['luma', 'blue', 'red', 'r0', 'g0', 'b0', 'r1', 'g1', 'b1'],
  body: loop(
    'i',
    get('count'),
    16,
    `${eightPixels(0)}
     ${eightPixels(1)}
     ${narrowed('r')} ${narrowed('g')} ${narrowed('b')}
     ${interleaved(0)} ${interleaved(1)} ${interleaved(2)}
     ${increase('y', i32(16))} ${increase('cb', i32(16))} ${increase('cr', i32(16))} ${increase('out', i32(48))}`,
  ),
});
