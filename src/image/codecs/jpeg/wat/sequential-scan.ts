import {
  add,
  and,
  get,
  i32,
  increase,
  load,
  mul,
  repeat,
  set,
  shl,
  store,
  toI64,
  when,
} from '../../../../lib/wasm-text/wat.ts';
import { blockSize } from '../frame.ts';
import { blockEnd, lookaheadBits, skipEnd, zeroRunOf16 } from '../huffman.ts';
import { tableLayout } from '../wasm/layout.ts';
import { divisorShift } from '../wasm/quantization.ts';
import { transform, writeFlat } from './block-output.ts';
import {
  consume,
  consumeEntry,
  decodeDc,
  fetch,
  fetchedBits,
  lookupsPerFetch,
  part,
  prefix,
  readSymbol,
  readValue,
} from './entropy.ts';
import { eachBlock, restorePredictions, savePredictions, toScanFunction } from './mcu-loop.ts';

/** A skip takes what was looked at, and up to 15 bits of a value more. */
const skipsPerFetch = Math.floor(fetchedBits / (lookaheadBits + 15));

const divisor = (step: string) => `(i32.shr_u ${step} ${i32(divisorShift)})`;

/**
 * `value` as the coefficient that `step`, an entry of `placeSteps`, stands for: its offset keeps it within `block`.
 * `last` is not zero once one is not.
 */
const storeCoefficient = (step: string, value: string) => `
  ${set('step', step)}
  ${set('product', mul(value, divisor(get('step'))))}
  ${store(add(get('block'), and(get('step'), (1 << divisorShift) - 1)), 0, get('product'))}
  ${set('last', `(i32.or ${get('last')} ${get('product')})`)}`;

/** Whether all symbols of an entry belong to this block: the last of them may be of the next one. */
const isInside = `(i32.and (i32.ne ${get('entry')} ${i32(0)}) (i32.lt_u ${get('next')} ${i32(blockSize)}))`;

/** One or two coefficients, if a look-up holds them; else on to `otherwise`. */
const takePair = (otherwise: string) => `
  ${set('pair', `(i64.load offset=${tableLayout.pairs} ${add(get('table'), shl(prefix, 3))})`)}
  ${set('entry', `(i32.wrap_i64 ${get('pair')})`)}
  ${set('next', add(get('k'), and(`(i32.shr_u ${get('entry')} ${i32(8)})`, 63)))}
  (br_if ${otherwise} (i32.eqz ${isInside}))
  ${consumeEntry(get('pair'))}
  ${set('from', add(get('steps'), shl(get('k'), 2)))}
  ${set('value', `(i32.wrap_i64 (i64.shr_u ${get('pair')} (i64.const 32)))`)}
  ${storeCoefficient(
    load(add(get('from'), and(`(i32.shr_u ${get('entry')} ${i32(16)})`, 0x3c)), 0),
    `(i32.extend16_s ${get('value')})`,
  )}
  ${storeCoefficient(
    load(add(get('from'), and(`(i32.shr_u ${get('entry')} ${i32(22)})`, 0x7c)), 0),
    `(i32.shr_s ${get('value')} ${i32(16)})`,
  )}
  ${set('k', get('next'))}
  ${when(and(get('entry'), blockEnd), `${set('k', i32(blockSize))} (br $kept)`)}`;

/**
 * AC coefficients up to `lastKept`, two from one look-up where that holds both; leaves in `k` where to go on, and in
 * `last` whether one is not zero. What lies behind `lastKept`, or is none, goes to a place that nobody reads: damaged
 * data may take `k` to 63 + 15, as far as the steps reach.
 *
 * @see ITU-T T.81 F.2.2.2, figure F.13
 */
const decodeAc = `
  (block $kept (loop $next_ac
    (br_if $kept (i32.gt_u ${get('k')} ${get('lastKept')}))
    ${fetch}
    (block $one_symbol
      ${takePair('$one_symbol')}
      ${repeat(
        lookupsPerFetch - 1,
        () => `
      (br_if $kept (i32.gt_u ${get('k')} ${get('lastKept')}))
      ${takePair('$next_ac')}`,
      )}
      (br $next_ac))
    ${readSymbol}
    ${set('size', and(get('symbol'), 15))}
    ${when(
      `(i32.eqz ${get('size')})`,
      `${when(`(i32.ne ${get('symbol')} ${i32(zeroRunOf16)})`, `${set('k', i32(blockSize))} (br $kept)`)}
       ${increase('k', i32(16))}
       (br $next_ac)`,
    )}
    ${increase('k', `(i32.shr_u ${get('symbol')} ${i32(4)})`)}
    ${readValue}
    ${storeCoefficient(load(add(get('steps'), shl(get('k'), 2)), 0), get('value'))}
    ${increase('k', i32(1))}
    (br $next_ac)))`;

/** As many symbols as a look-up holds; else on to `otherwise`. */
const takeSkip = (otherwise: string) => `
  ${set('entry', load(add(get('table'), shl(prefix, 2)), tableLayout.direct))}
  ${set('next', add(get('k'), and(`(i32.shr_u ${get('entry')} ${i32(8)})`, 255)))}
  (br_if ${otherwise} (i32.eqz ${isInside}))
  ${consumeEntry(toI64(get('entry')))}
  (br_if $skipped (i32.ge_u ${get('entry')} ${i32(skipEnd)}))
  ${set('k', get('next'))}`;

/** The rest of the block, without its values. */
const skipAc = `
  (block $skipped (loop $next_skip
    (br_if $skipped (i32.ge_u ${get('k')} ${i32(blockSize)}))
    ${fetch}
    (block $one_symbol
      ${takeSkip('$one_symbol')}
      ${repeat(skipsPerFetch - 1, () => takeSkip('$next_skip'))}
      (br $next_skip))
    ${readSymbol}
    ${set('size', and(get('symbol'), 15))}
    ${when(
      `(i32.eqz ${get('size')})`,
      `(br_if $skipped (i32.ne ${get('symbol')} ${i32(zeroRunOf16)}))
       ${increase('k', i32(16))}
       (br $next_skip)`,
    )}
    ${consume(get('size'))}
    ${increase('k', add(`(i32.shr_u ${get('symbol')} ${i32(4)})`, i32(1)))}
    (br $next_skip)))`;

const decodeBlock = `
  ${decodeDc}
  ${set('table', part('ac'))}
  ${set('k', i32(1))}
  ${when(
    `(i32.and (i32.ne ${get('row')} ${i32(0)}) (i32.and
      (i32.ge_s ${get('x')} ${part('blockLeft')}) (i32.lt_s ${get('x')} ${part('blockRight')})))`,
    `${set('last', i32(0))}
     ${set('lastKept', part('lastKept'))}
     ${set('steps', part('steps'))}
     ${decodeAc}
     ${set('side', part('side'))}
     ${set('stride', part('stride'))}
     ${set('out', add(get('row'), mul(get('x'), get('side'))))}
     ${set('dc', mul(part('prediction'), divisor(load(get('steps'), 0))))}
     ${when(get('last'), transform, writeFlat)}`,
  )}
  ${skipAc}`;

/** The blocks of an MCU into samples. @see ITU-T T.81 F.2.2, A.2 (order of blocks) */
export const decodeSequential = toScanFunction({
  name: 'decode_sequential',
  reads: ['block'],
  locals: [
    ...['k', 'last', 'lastKept', 'steps', 'from', 'step', 'product'],
    ...['side', 'stride', 'out', 'dc'],
  ],
  decodeMcu: eachBlock(decodeBlock),
  save: savePredictions,
  restore: `${restorePredictions} (memory.fill ${get('block')} ${i32(0)} ${i32(blockSize * Int32Array.BYTES_PER_ELEMENT)})`,
});
