import {
  add,
  and,
  get,
  i32,
  increase,
  load,
  repeat,
  set,
  shl,
  sub,
  toI64,
  when,
} from '../../../../lib/wasm-text/wat.ts';
import { blockEnd, blockEndBit, zeroRunOf16 } from '../huffman.ts';
import { coefficientsBytes, scanLayout, tableLayout } from '../wasm/layout.ts';
import {
  consume,
  consumeEntry,
  decodeDc,
  fetch,
  firstBits,
  lookupsPerFetch,
  part,
  prefix,
  readSymbol,
  readValue,
} from './entropy.ts';
import { eachBlock, restorePredictions, savePredictions, toScanFunction } from './mcu-loop.ts';

const blockShift = Math.log2(coefficientsBytes);
const vectorsPerBlock = coefficientsBytes / 16;

const coefficient = (k: string) => add(get('at'), shl(k, 1));
const store16 = (address: string, value: string) => `(i32.store16 ${address} ${value})`;
const readBit = (name: string) => `${set(name, firstBits(i32(1)))} ${consume(i32(1))}`;
const isBehind = (index: string) => `(i32.gt_u ${index} ${get('spectralEnd')})`;

/** First scan of DC. @see ITU-T T.81 G.1.2.1 */
export const decodeDcFirst = toScanFunction({
  name: 'decode_dc_first',
  reads: ['shift'],
  locals: [],
  decodeMcu: eachBlock(`
    ${decodeDc}
    ${store16(add(get('row'), shl(get('x'), blockShift)), `(i32.shl ${part('prediction')} ${get('shift')})`)}`),
  save: savePredictions,
  restore: restorePredictions,
});

/** One more bit of each DC. @see ITU-T T.81 G.1.2.1.1 */
export const decodeDcRefinement = toScanFunction({
  name: 'decode_dc_refinement',
  reads: ['shift'],
  locals: ['at'],
  decodeMcu: eachBlock(`
    ${fetch}
    ${set('at', add(get('row'), shl(get('x'), blockShift)))}
    ${readBit('value')}
    ${store16(get('at'), `(i32.or (i32.load16_u ${get('at')}) (i32.shl ${get('value')} ${get('shift')}))`)}`),
  save: '',
  restore: '',
});

/** The scan's one component, and the block's coefficients; a scan of AC has no more. @see ITU-T T.81 G.1.1.1.1 */
const enterBlock = `
  ${set('component', add(get('scan'), i32(scanLayout.components)))}
  ${set('table', part('ac'))}
  ${set('at', add(part('rows'), shl(get('mcu'), blockShift)))}
  ${set('k', get('spectralStart'))}`;

const endOfBand = (less: number) => `
  ${set('size', `(i32.shr_u ${get('symbol')} ${i32(4)})`)}
  ${set('endOfBandRun', sub(`(i32.shl ${i32(1)} ${get('size')})`, i32(less)))}
  ${when(get('size'), `${increase('endOfBandRun', firstBits(get('size')))} ${consume(get('size'))}`)}`;

/** `value` to where an entry says, unless it is 0, which stands for none. */
const storeValue = (shift: number, mask: number) =>
  store16(
    `(select ${add(get('from'), and(`(i32.shr_u ${get('entry')} ${i32(shift)})`, mask))} ${get('block')} ${get('value')})`,
    `(i32.shl ${get('value')} ${get('shift')})`,
  );

/** One or two coefficients, if a look-up holds them and they lie in the band; else on to `otherwise`. */
const takePair = (otherwise: string) => `
  ${set('pair', `(i64.load offset=${tableLayout.pairs} ${add(get('table'), shl(prefix, 3))})`)}
  ${set('entry', `(i32.wrap_i64 ${get('pair')})`)}
  ${set('next', add(get('k'), and(`(i32.shr_u ${get('entry')} ${i32(8)})`, 63)))}
  ;; where the band is full, an end that follows is of the next block
  (br_if ${otherwise} (i32.or (i32.eqz ${get('entry')})
    (i32.gt_s ${add(get('next'), and(`(i32.shr_u ${get('entry')} ${i32(blockEndBit)})`, 1))} ${add(get('spectralEnd'), i32(1))})))
  ${consumeEntry(get('pair'))}
  ${set('from', coefficient(get('k')))}
  ${set('both', `(i32.wrap_i64 (i64.shr_u ${get('pair')} (i64.const 32)))`)}
  ${set('value', `(i32.extend16_s ${get('both')})`)}
  ${storeValue(17, 0x1e)}
  ${set('value', `(i32.shr_s ${get('both')} ${i32(16)})`)}
  ${storeValue(23, 0x3e)}
  ${set('k', get('next'))}
  (br_if $band ${and(get('entry'), blockEnd)})`;

/**
 * First scan of AC coefficients: `decodeAcFirst` of src/image/codecs/jpeg/progressive-block.ts.
 *
 * @see ITU-T T.81 G.1.2.2
 */
export const decodeAcFirst = toScanFunction({
  name: 'decode_ac_first',
  reads: ['block', 'spectralStart', 'spectralEnd', 'shift', 'endOfBandRun'],
  writes: ['endOfBandRun'],
  locals: ['at', 'k', 'from', 'both', 'savedRun'],
  decodeMcu: when(
    get('endOfBandRun'),
    set('endOfBandRun', sub(get('endOfBandRun'), i32(1))),
    `${enterBlock}
     (block $band (loop $next_ac
       (br_if $band ${isBehind(get('k'))})
       ${fetch}
       (block $one_symbol
         ${takePair('$one_symbol')}
         ${repeat(lookupsPerFetch - 1, () => `(br_if $band ${isBehind(get('k'))}) ${takePair('$next_ac')}`)}
         (br $next_ac))
       ${readSymbol}
       ${set('size', and(get('symbol'), 15))}
       ${when(
         `(i32.eqz ${get('size')})`,
         `${when(`(i32.ne ${get('symbol')} ${i32(zeroRunOf16)})`, `${endOfBand(1)} (br $band)`)}
          ${increase('k', i32(16))}
          (br $next_ac)`,
       )}
       ${increase('k', `(i32.shr_u ${get('symbol')} ${i32(4)})`)}
       (br_if $give_up ${isBehind(get('k'))})
       ${readValue}
       ${store16(coefficient(get('k')), `(i32.shl ${get('value')} ${get('shift')})`)}
       ${increase('k', i32(1))}
       (br $next_ac)))`,
  ),
  save: set('savedRun', get('endOfBandRun')),
  restore: set('endOfBandRun', get('savedRun')),
});

/** The block's coefficients that are not zero: a bit each in `coded`. */
const findCoded = `
  ${set('coded', '(i64.const 0)')}
  ${repeat(
    vectorsPerBlock,
    (index) =>
      `${set(
        'coded',
        `(i64.or ${get('coded')} (i64.shl (i64.extend_i32_u (i16x8.bitmask (i16x8.ne
          (v128.load offset=${index * 16} ${get('at')}) (v128.const i16x8 0 0 0 0 0 0 0 0)))) (i64.const ${index * 8})))`,
      )}`,
  )}`;

/** Index of the next coefficient that is not zero, from `k` on, which is 63 at most; more than 63 if there is none. */
const nextCoded = add(
  get('k'),
  `(i32.wrap_i64 (i64.ctz (i64.shr_u ${get('coded')} (i64.extend_i32_u ${get('k')}))))`,
);

/**
 * One correction bit for coefficient `k`; one that has it already is left alone, as in libjpeg. No branch depends on
 * the bit, which nothing foretells.
 */
const refine = `
  ${when(`(i32.eqz ${get('count')})`, fetch)}
  ${readBit('size')}
  ${set('from', coefficient(get('k')))}
  ${set('value', `(i32.load16_s ${get('from')})`)}
  ${set('size', `(i32.and ${get('size')} (i32.eqz (i32.and ${get('value')} ${get('bit')})))`)}
  ${store16(
    get('from'),
    add(
      get('value'),
      `(i32.and ${sub(i32(0), get('size'))}
        (select ${get('bit')} ${get('minusBit')} (i32.gt_s ${get('value')} ${i32(0)})))`,
    ),
  )}
  ${increase('k', i32(1))}`;

/** On by `run` coefficients that are still zero, refining the others on the way: to the next zero, or behind the band. */
const passRun = `
  (block $passed (loop $next_coded
    ${set('next', nextCoded)}
    ${set('next', `(select ${get('next')} ${get('bandEnd')} (i32.lt_u ${get('next')} ${get('bandEnd')}))`)}
    ${set('zeros', sub(get('next'), get('k')))}
    ${when(`(i32.lt_u ${get('run')} ${get('zeros')})`, `${increase('k', get('run'))} (br $passed)`)}
    ${set('run', sub(get('run'), get('zeros')))}
    ${set('k', get('next'))}
    (br_if $passed (i32.ge_u ${get('k')} ${get('bandEnd')}))
    ${refine}
    (br_if $next_coded (i32.lt_u ${get('k')} ${get('bandEnd')}))))`;

const copyBlock = (from: string, to: string) =>
  repeat(
    vectorsPerBlock,
    (index) => `(v128.store offset=${index * 16} ${get(to)} (v128.load offset=${index * 16} ${get(from)}))`,
  );

/**
 * Further scans of AC coefficients: `decodeAcRefinement` of src/image/codecs/jpeg/progressive-block.ts.
 *
 * @see ITU-T T.81 G.1.2.3
 */
export const decodeAcRefinement = toScanFunction({
  name: 'decode_ac_refinement',
  reads: ['block', 'spectralStart', 'spectralEnd', 'shift', 'endOfBandRun'],
  writes: ['endOfBandRun'],
  locals: ['at', 'k', 'from', 'bit', 'minusBit', 'run', 'zeros', 'bandEnd', 'fresh', 'savedRun'],
  long: ['coded'],
  decodeMcu: `
    ${enterBlock}
    ${copyBlock('at', 'block')}
    ${findCoded}
    ${set('bit', `(i32.shl ${i32(1)} ${get('shift')})`)}
    ${set('minusBit', sub(i32(0), get('bit')))}
    ${set('bandEnd', add(get('spectralEnd'), i32(1)))}
    (block $band
      (br_if $band ${get('endOfBandRun')})
      (loop $next_symbol
        ${fetch}
        ${set('entry', load(add(get('table'), shl(prefix, 2)), tableLayout.direct))}
        (block $known
          ${when(
            get('entry'),
            `${consumeEntry(toI64(get('entry')))}
             ${when(and(get('entry'), blockEnd), `${set('endOfBandRun', i32(1))} (br $band)`)}
             ${set('run', and(`(i32.shr_u ${get('entry')} ${i32(8)})`, 15))}
             ${set('fresh', `(i32.shl (i32.shr_s ${get('entry')} ${i32(16)}) ${get('shift')})`)}
             (br $known)`,
          )}
          ${readSymbol}
          ${set('run', `(i32.shr_u ${get('symbol')} ${i32(4)})`)}
          ${set('fresh', i32(0))}
          ${when(
            and(get('symbol'), 15),
            `${readBit('fresh')}
             ${set('fresh', `(select ${get('bit')} ${get('minusBit')} ${get('fresh')})`)}`,
            when(`(i32.lt_u ${get('run')} ${i32(15)})`, `${endOfBand(0)} (br $band)`),
          )})
        ${passRun}
        ${when(
          get('fresh'),
          `(br_if $give_up ${isBehind(get('k'))}) ${store16(coefficient(get('k')), get('fresh'))}`,
        )}
        ${increase('k', i32(1))}
        (br_if $next_symbol (i32.lt_u ${get('k')} ${get('bandEnd')}))))
    ${when(
      get('endOfBandRun'),
      `(block $refined (loop $next_old
         (br_if $refined (i32.ge_u ${get('k')} ${get('bandEnd')}))
         ${set('k', nextCoded)}
         (br_if $refined (i32.ge_u ${get('k')} ${get('bandEnd')}))
         ${refine}
         (br $next_old)))
       ${set('endOfBandRun', sub(get('endOfBandRun'), i32(1)))}`,
    )}`,
  save: set('savedRun', get('endOfBandRun')),
  restore: `${set('endOfBandRun', get('savedRun'))} ${copyBlock('block', 'at')}`,
});
