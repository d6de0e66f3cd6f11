import {
  add,
  and,
  get,
  i32,
  increase,
  load,
  set,
  shl,
  store,
  sub,
  toI64,
  when,
} from '../../../../lib/wasm-text/wat.ts';
import { lookaheadBits, maxCodeLength } from '../huffman.ts';
import { componentLayout, scanLayout, tableLayout } from '../wasm/layout.ts';

/*
 * What the kernels of all scans are made of. They keep the bits at hand in `bits`, `count` and `position`; `scan` and
 * `component` are addresses of what ../../image/jpeg/kernel/layout.ts places.
 */

/** Bits that are at hand after `fetch`, at least: 7 bytes. */
export const fetchedBits = 56;
/** Look-ups that one `fetch` is enough for, if each takes no more than it looked at. */
export const lookupsPerFetch = Math.floor(fetchedBits / lookaheadBits);

export const field = (name: keyof typeof scanLayout) => load(get('scan'), scanLayout[name]);
export const setField = (name: keyof typeof scanLayout, value: string) =>
  store(get('scan'), scanLayout[name], value);
export const part = (name: keyof typeof componentLayout) => load(get('component'), componentLayout[name]);

/** `bits` is left-aligned here: the next bits of the stream are its highest. */
export const firstBits = (count: string) =>
  `(i32.wrap_i64 (i64.shr_u ${get('bits')} (i64.sub (i64.const 64) ${toI64(count)})))`;
export const prefix = `(i32.wrap_i64 (i64.shr_u ${get('bits')} (i64.const ${64 - lookaheadBits})))`;
export const consume = (count: string) => `
  ${set('bits', `(i64.shl ${get('bits')} ${toI64(count)})`)}
  ${set('count', sub(get('count'), count))}`;

/** Likewise as many as the low 6 bits of an entry say; a shift takes no others. */
export const consumeEntry = (entry: string) => `
  ${set('bits', `(i64.shl ${get('bits')} ${entry})`)}
  ${set('count', sub(get('count'), and(get('entry'), 63)))}`;

/**
 * `fetchedBits` or more at hand: as many whole bytes of the next eight as fit. They stand in reverse order, so that one
 * load has the next of them on top. What stands in `bits` below `count` are then bits of the byte behind; setting them
 * again changes nothing.
 */
export const fetch = `
  ${set('bits', `(i64.or ${get('bits')} (i64.shr_u (i64.load ${sub(get('position'), i32(7))}) ${toI64(get('count'))}))`)}
  ${set('position', sub(get('position'), `(i32.shr_u ${sub(i32(63), get('count'))} ${i32(3)})`))}
  ${set('count', `(i32.or ${get('count')} ${i32(fetchedBits)})`)}`;

/**
 * For codes longer than the look-ahead: length in bits 8 and up, symbol below.
 *
 * @see ITU-T T.81 F.2.2.3, figure F.16 (DECODE)
 */
const findLongSymbol = `
  ${set('length', i32(lookaheadBits + 1))}
  (block $found (loop $longer
    ${set('code', firstBits(get('length')))}
    (br_if $found (i32.le_s ${get('code')} ${load(add(get('table'), shl(get('length'), 2)), tableLayout.maxCode)}))
    ${increase('length', i32(1))}
    (br_if $longer (i32.le_u ${get('length')} ${i32(maxCodeLength)}))
    (br $give_up)))
  ${set(
    'symbol',
    `(i32.or ${shl(get('length'), 8)} (i32.load8_u offset=${tableLayout.values} ${add(
      get('table'),
      add(load(add(get('table'), shl(get('length'), 2)), tableLayout.valueOffset), get('code')),
    )}))`,
  )}`;

/** The next symbol of `table` into `symbol`, its 1 to 16 bits consumed; no code: the MCU is given up. */
export const readSymbol = `
  ${set('symbol', `(i32.load16_u offset=${tableLayout.symbols} ${add(get('table'), shl(prefix, 1))})`)}
  ${when(`(i32.eqz ${get('symbol')})`, findLongSymbol)}
  ${consume(`(i32.shr_u ${get('symbol')} ${i32(8)})`)}
  ${set('symbol', and(get('symbol'), 255))}`;

/** The signed value of `size` bits, 1 to 15. @see ITU-T T.81 F.2.2.1, figure F.12 (EXTEND) */
export const readValue = `
  ${set('value', firstBits(get('size')))}
  ${consume(get('size'))}
  ${set(
    'value',
    add(
      get('value'),
      `(i32.and (i32.shr_s ${sub(get('value'), `(i32.shl ${i32(1)} ${sub(get('size'), i32(1))})`)} ${i32(31)})
        ${add(`(i32.shl ${i32(-1)} ${get('size')})`, i32(1))})`,
    ),
  )}`;

/** The block's new DC into the component's prediction: at most 31 bits, fetched here. @see ITU-T T.81 F.2.2.1 */
export const decodeDc = `
  ${set('table', part('dc'))}
  ${fetch}
  ${set('entry', load(add(get('table'), shl(prefix, 2)), tableLayout.direct))}
  ${when(
    get('entry'),
    `${consumeEntry(toI64(get('entry')))}
     ${set('value', `(i32.shr_s ${get('entry')} ${i32(16)})`)}`,
    `${readSymbol}
     ${set('size', and(get('symbol'), 15))}
     ${when(get('size'), readValue, set('value', i32(0)))}`,
  )}
  ${store(get('component'), componentLayout.prediction, add(part('prediction'), get('value')))}`;
