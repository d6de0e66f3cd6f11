import { add, get, i32, increase, loop, set, toFunction } from '../../../lib/wasm-text/wat.ts';
import { lowBits } from '../weight-table.ts';

/** Two pixels of RGB as pairs of 16-bit numbers, red with red: r0 r1 g0 g1 b0 b1 0 0. Index 31 gives 0. */
const pairFrom = (byte: number) =>
  `(v128.const i8x16 ${[0, 3, 1, 4, 2, 5].map((at) => `${at + byte} 31`).join(' ')} 31 31 31 31)`;
const pair = (byte: number) => `(i8x16.swizzle ${get('pixels')} ${pairFrom(byte)})`;
const weights = (offset: number) => `(v128.load32_splat offset=${offset} ${get('table')})`;
const addDot = (sum: string, pixels: string, offset: number) =>
  set(sum, `(i32x4.add ${get(sum)} (i32x4.dot_i16x8_s ${get(pixels)} ${weights(offset)}))`);

/**
 * One row through a table of weights, four pixels a step. The dot product takes 16-bit numbers, a weight has
 * 23 bits: its upper and lower part are summed apart and put together in the end, modulo 2^32 like the
 * TypeScript does it. Reads up to 16 bytes behind the last pixel (times 0), writes one byte behind the last.
 */
export const resizeRow = (precisionBits: number) =>
  toFunction({
    name: 'resize_row',
    exported: true,
    params: ['row', 'table', 'count', 'out'],
    i32: ['i', 'group', 'groups', 'from'],
    v128: ['pixels', 'first', 'second', 'high', 'low'],
    body: loop(
      'i',
      get('count'),
      1,
      `${set('from', add(get('row'), `(i32.load ${get('table')})`))}
       ${set('groups', `(i32.load offset=4 ${get('table')})`)}
       ${increase('table', i32(8))}
       ${set('high', '(v128.const i32x4 0 0 0 0)')}
       ${set('low', `(i32x4.splat (i32.const ${1 << (precisionBits - 1)}))`)}
       ${loop(
         'group',
         get('groups'),
         1,
         `${set('pixels', `(v128.load ${get('from')})`)}
          ${set('first', pair(0))}
          ${set('second', pair(6))}
          ${addDot('high', 'first', 0)}
          ${addDot('low', 'first', 8)}
          ${addDot('high', 'second', 4)}
          ${addDot('low', 'second', 12)}
          ${increase('from', i32(12))}
          ${increase('table', i32(16))}`,
       )}
       ${set('low', `(i32x4.shr_s (i32x4.add ${get('low')} (i32x4.shl ${get('high')} ${i32(lowBits)})) ${i32(precisionBits)})`)}
       ${set('low', `(i16x8.narrow_i32x4_s ${get('low')} ${get('low')})`)}
       (v128.store32_lane 0 ${get('out')} (i8x16.narrow_i16x8_u ${get('low')} ${get('low')}))
       ${increase('out', i32(3))}`,
    ),
  });
