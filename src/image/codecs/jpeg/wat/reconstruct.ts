import { get, i32, increase, loop, repeat, set, toFunction, when } from '../../../../lib/wasm-text/wat.ts';
import { zigzag } from '../segments.ts';
import { transform, writeFlat } from './block-output.ts';

const lanes = 8;
const rows = Array.from({ length: lanes }, (_, row) => row);
const source = (index: number) => `z${index}`;

/** Zigzag index of each column of a row. */
const zigzagIndices = (row: number) => rows.map((column) => zigzag.indexOf(row * lanes + column));

/** Row `row` of a block, gathered from the vectors of its zigzag order one after the other. */
function gather(row: number): string {
  const wanted = zigzagIndices(row);
  const sources = [...new Set(wanted.map((k) => k >> 3))];
  /** Bytes of lane `lane` of the first or second operand. */
  const bytes = (operand: 0 | 1, lane: number) => [operand * 16 + lane * 2, operand * 16 + lane * 2 + 1];
  let value = get(source(sources[0]));
  for (const [i, vector] of sources.entries()) {
    const next = get(source(vector));
    if (i === 0) {
      const order = wanted.flatMap((k) => bytes(0, k >> 3 === vector ? k & 7 : 0));
      value = `(i8x16.shuffle ${order.join(' ')} ${next} ${next})`;
    } else {
      const order = wanted.flatMap((k, lane) => (k >> 3 === vector ? bytes(1, k & 7) : bytes(0, lane)));
      value = `(i8x16.shuffle ${order.join(' ')} ${value} ${next})`;
    }
  }
  return value;
}

const product = (half: 'low' | 'high', offset: number) => `
  (v128.store offset=${offset} ${get('block')} (i32x4.mul
    (i32x4.extend_${half}_i16x8_s ${get('gathered')}) (v128.load offset=${offset} ${get('divisors')})))`;

/**
 * A row of blocks of coefficients, 64 i16 each in zigzag order, to samples: `dequantizeBlock` of
 * src/image/codecs/jpeg/progressive-block.ts and `ComponentPlane.writeBlock`. `divisors` are 64 i32, row-major. What is left
 * in `block` is not zero.
 */
export const reconstructRow = toFunction({
  name: 'reconstruct_row',
  exported: true,
  params: ['coefficients', 'divisors', 'block', 'count', 'out', 'side', 'stride'],
  i32: ['i', 'dc', 'value', 'first'],
  v128: [...rows.map(source), 'gathered'],
  body: `
  ${set('first', get('out'))}
  ${loop(
    'i',
    get('count'),
    1,
    `${repeat(lanes, (index) => set(source(index), `(v128.load offset=${index * 16} ${get('coefficients')})`))}
     ${set('out', `(i32.add ${get('first')} (i32.mul ${get('i')} ${get('side')}))`)}
     ${set('dc', `(i32.mul (i16x8.extract_lane_s 0 ${get('z0')}) (i32.load ${get('divisors')}))`)}
     ${when(
       `(v128.any_true ${rows
         .map((index) => (index === 0 ? `(i16x8.replace_lane 0 ${get('z0')} ${i32(0)})` : get(source(index))))
         .reduce((a, b) => `(v128.or ${a} ${b})`)})`,
       `${rows
         .map(
           (row) =>
             `${set('gathered', gather(row))} ${product('low', row * 32)} ${product('high', row * 32 + 16)}`,
         )
         .join('\n')}
        ${transform}`,
       writeFlat,
     )}
     ${increase('coefficients', i32(lanes * 16))}`,
  )}`,
});
