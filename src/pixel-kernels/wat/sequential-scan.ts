import { lookaheadBits, maxCodeLength, skipEnd } from '../../image/jpeg/huffman.ts';
import { componentLayout, scanLayout, tableLayout } from '../../image/jpeg/kernel-layout.ts';
import { add, get, i32, increase, mul, set, shl, toFunction } from '../../wasm-text/wat.ts';

/** Codes and values are at most this long: with fewer bits at hand, more are fetched. */
const enoughBits = 32;
const blockSize = 64;
const zeroRunOf16 = 0xf0;
const workspaceOffset = 256;

const load = (address: string, offset: number) => `(i32.load offset=${offset} ${address})`;
const store = (address: string, offset: number, value: string) =>
  `(i32.store offset=${offset} ${address} ${value})`;
const sub = (a: string, b: string) => `(i32.sub ${a} ${b})`;
const and = (a: string, mask: number) => `(i32.and ${a} ${i32(mask)})`;
const when = (condition: string, then: string, otherwise = '') =>
  `(if ${condition} (then ${then}) ${otherwise && `(else ${otherwise})`})`;
const toI64 = (value: string) => `(i64.extend_i32_u ${value})`;

const field = (name: keyof typeof scanLayout) => load(get('scan'), scanLayout[name]);
const setField = (name: keyof typeof scanLayout, value: string) =>
  store(get('scan'), scanLayout[name], value);
const part = (name: keyof typeof componentLayout) => load(get('component'), componentLayout[name]);

/** `bits` is left-aligned here: the next bits of the stream are its highest. */
const firstBits = (count: string) =>
  `(i32.wrap_i64 (i64.shr_u ${get('bits')} (i64.sub (i64.const 64) ${toI64(count)})))`;
const prefix = `(i32.wrap_i64 (i64.shr_u ${get('bits')} (i64.const ${64 - lookaheadBits})))`;
const consume = (count: string) => `
  ${set('bits', `(i64.shl ${get('bits')} ${toI64(count)})`)}
  ${set('count', sub(get('count'), count))}`;

/**
 * At least `enoughBits` at hand. Eight bytes at once if none of them is 0xFF, which is stuffed or begins a marker.
 * What stands in `bits` below `count` are the true bits behind, so setting them again changes nothing.
 */
const refill = when(
  `(i32.lt_u ${get('count')} ${i32(enoughBits)})`,
  `${set('ahead', `(v128.load64_zero ${get('position')})`)}
   ${when(
     `(v128.any_true (i8x16.eq ${get('ahead')} (v128.const i8x16 ${Array(16).fill(-1).join(' ')})))`,
     `(i64.store offset=${scanLayout.wideBits} ${get('scan')} ${get('bits')})
      ${setField('wideCount', get('count'))}
      ${setField('position', get('position'))}
      ${setField('supplied', get('supplied'))}
      (call $take_bytes ${get('scan')})
      ${set('bits', `(i64.load offset=${scanLayout.wideBits} ${get('scan')})`)}
      ${set('count', field('wideCount'))}
      ${set('position', field('position'))}
      ${set('supplied', field('supplied'))}`,
     `${set(
       'bits',
       `(i64.or ${get('bits')} (i64.shr_u
         (i64x2.extract_lane 0 (i8x16.shuffle 7 6 5 4 3 2 1 0 8 8 8 8 8 8 8 8 ${get('ahead')} ${get('ahead')}))
         ${toI64(get('count'))}))`,
     )}
      ${increase('position', `(i32.shr_u ${sub(i32(63), get('count'))} ${i32(3)})`)}
      ${set('count', `(i32.or ${get('count')} ${i32(56)})`)}`,
   )}`,
);

/** Byte by byte, where one is 0xFF: `BitReader.refill` with 64 bits. @see ITU-T T.81 B.1.1.5 */
export const takeBytes = toFunction({
  name: 'take_bytes',
  params: ['scan'],
  i32: ['count', 'position', 'supplied', 'byte'],
  i64: ['bits'],
  body: `
  ${set('bits', `(i64.load offset=${scanLayout.wideBits} ${get('scan')})`)}
  ${set('count', field('wideCount'))}
  ${set('position', field('position'))}
  ${set('supplied', field('supplied'))}
  (loop $next
    ${set('byte', i32(0))}
    ${when(
      get('supplied'),
      increase('supplied', i32(8)),
      `${set('byte', `(i32.load8_u ${get('position')})`)}
       ${when(
         `(i32.ne ${get('byte')} ${i32(255)})`,
         increase('position', i32(1)),
         when(
           `(i32.load8_u offset=1 ${get('position')})`,
           `${set('byte', i32(0))} ${set('supplied', i32(8))}`,
           increase('position', i32(2)),
         ),
       )}`,
    )}
    ${set(
      'bits',
      `(i64.or ${get('bits')} (i64.shl ${toI64(get('byte'))} (i64.sub (i64.const 56) ${toI64(get('count'))})))`,
    )}
    ${increase('count', i32(8))}
    (br_if $next (i32.le_u ${get('count')} ${i32(56)})))
  (i64.store offset=${scanLayout.wideBits} ${get('scan')} ${get('bits')})
  ${setField('wideCount', get('count'))}
  ${setField('position', get('position'))}
  ${setField('supplied', get('supplied'))}`,
});

/**
 * For codes longer than the look-ahead: length in bits 8 and up, symbol below; 0 if no code matches.
 *
 * @see ITU-T T.81 F.2.2.3, figure F.16 (DECODE)
 */
export const longSymbol = toFunction({
  name: 'long_symbol',
  params: ['table', 'next16'],
  i32: ['length', 'code'],
  result: 'i32',
  body: `
  ${set('length', i32(lookaheadBits + 1))}
  (loop $longer
    ${set('code', `(i32.shr_u ${get('next16')} ${sub(i32(maxCodeLength), get('length'))})`)}
    ${when(
      `(i32.le_s ${get('code')} ${load(add(get('table'), shl(get('length'), 2)), tableLayout.maxCode)})`,
      `(return (i32.or ${shl(get('length'), 8)} (i32.load8_u offset=${tableLayout.values} ${add(
        get('table'),
        add(load(add(get('table'), shl(get('length'), 2)), tableLayout.valueOffset), get('code')),
      )})))`,
    )}
    ${increase('length', i32(1))}
    (br_if $longer (i32.le_u ${get('length')} ${i32(maxCodeLength)})))
  ${i32(0)}`,
});

/** The next symbol of `table` into `symbol`, its bits consumed; no code: the MCU is given up. */
const readSymbol = `
  ${set('symbol', `(i32.load16_u offset=${tableLayout.symbols} ${add(get('table'), shl(prefix, 1))})`)}
  ${when(
    `(i32.eqz ${get('symbol')})`,
    `${set('symbol', `(call $long_symbol ${get('table')} ${firstBits(i32(maxCodeLength))})`)}
     (br_if $give_up (i32.eqz ${get('symbol')}))`,
  )}
  ${consume(`(i32.shr_u ${get('symbol')} ${i32(8)})`)}
  ${set('symbol', and(get('symbol'), 255))}`;

/** The signed value of `size` bits, 1 to 15. @see ITU-T T.81 F.2.2.1, figure F.12 (EXTEND) */
const readValue = `
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

/** The block's new DC into the component's prediction. @see ITU-T T.81 F.2.2.1 */
const decodeDc = `
  ${set('table', part('dc'))}
  ${refill}
  ${readSymbol}
  ${set('size', and(get('symbol'), 15))}
  ${when(
    get('size'),
    `${readValue}
     ${store(get('component'), componentLayout.prediction, add(part('prediction'), get('value')))}`,
  )}`;

/** `value` as the coefficient of zigzag index `k`. */
const storeCoefficient = (value: string) => `
  ${set('step', load(add(get('steps'), shl(get('k'), 2)), 0))}
  ${store(add(get('block'), and(get('step'), 255)), 0, mul(value, `(i32.shr_u ${get('step')} ${i32(8)})`))}
  ${set('last', get('k'))}`;

/** AC coefficients up to `lastKept`; leaves in `k` where to go on. @see ITU-T T.81 F.2.2.2, figure F.13 */
const decodeAc = `
  (block $kept (loop $next_ac
    (br_if $kept (i32.gt_u ${get('k')} ${get('lastKept')}))
    ${refill}
    ${set('entry', load(add(get('table'), shl(prefix, 2)), tableLayout.coefficients))}
    ${when(
      get('entry'),
      `${consume(and(get('entry'), 255))}
       ${increase('k', and(`(i32.shr_u ${get('entry')} ${i32(8)})`, 15))}
       ${when(`(i32.gt_u ${get('k')} ${get('lastKept')})`, `${increase('k', i32(1))} (br $kept)`)}
       ${storeCoefficient(`(i32.shr_s ${get('entry')} ${i32(16)})`)}
       ${increase('k', i32(1))}
       (br $next_ac)`,
    )}
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
    ${when(`(i32.le_u ${get('k')} ${get('lastKept')})`, storeCoefficient(get('value')))}
    ${increase('k', i32(1))}
    (br $next_ac)))`;

/** The rest of the block, without its values. */
const skipAc = `
  (block $skipped (loop $next_skip
    (br_if $skipped (i32.ge_u ${get('k')} ${i32(blockSize)}))
    ${refill}
    ${set('entry', load(add(get('table'), shl(prefix, 2)), tableLayout.skips))}
    ${set('next', add(get('k'), and(`(i32.shr_u ${get('entry')} ${i32(8)})`, 255)))}
    ${when(
      // Otherwise the last of these symbols may belong to the next block already.
      `(i32.and (i32.ne ${get('entry')} ${i32(0)}) (i32.lt_u ${get('next')} ${i32(blockSize)}))`,
      `${consume(and(get('entry'), 255))}
       (br_if $skipped (i32.ge_u ${get('entry')} ${i32(skipEnd)}))
       ${set('k', get('next'))}
       (br $next_skip)`,
    )}
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

const fill = (side: 1 | 2 | 4 | 8) =>
  Array.from({ length: side }, (_, row) => {
    const write =
      side === 8
        ? `(i64.store ${get('out')} (i64.mul ${toI64(get('value'))} (i64.const 0x0101010101010101)))`
        : `(i32.store${side === 4 ? '' : side * 8} ${get('out')} ${mul(get('value'), i32(0x01010101))})`;
    return `${write} ${row < side - 1 ? increase('out', get('stride')) : ''}`;
  }).join('\n');

const bySide = (make: (side: 1 | 2 | 4 | 8) => string) =>
  when(
    `(i32.eq ${get('side')} ${i32(8)})`,
    make(8),
    when(
      `(i32.eq ${get('side')} ${i32(2)})`,
      make(2),
      when(`(i32.eq ${get('side')} ${i32(4)})`, make(4), make(1)),
    ),
  );

/** `fillFlat` of src/image/jpeg/idct-islow.ts: one value for all samples of a block. */
const writeFlat = `
  ${set('value', add(`(i32.shr_s ${add(get('dc'), i32(4))} ${i32(3)})`, i32(128)))}
  ${set('value', `(select ${i32(0)} ${get('value')} (i32.lt_s ${get('value')} ${i32(0)}))`)}
  ${set('value', `(select ${i32(255)} ${get('value')} (i32.gt_s ${get('value')} ${i32(255)}))`)}
  ${bySide(fill)}`;

const transform = `
  ${store(get('block'), 0, get('dc'))}
  ${bySide((side) => {
    if (side === 8)
      return `(call $idct_islow ${get('block')} ${add(get('block'), i32(workspaceOffset))} ${get('out')} ${get('stride')})`;
    // Of a block that becomes one sample no AC coefficient is kept.
    return side === 1 ? '' : `(call $idct_${side} ${get('block')} ${get('out')} ${get('stride')})`;
  })}`;

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
     ${set('dc', mul(part('prediction'), `(i32.shr_u ${load(get('steps'), 0)} ${i32(8)})`))}
     ${when(get('last'), transform, writeFlat)}`,
  )}
  ${skipAc}`;

const eachComponent = (label: string, body: string) => `
  ${set('component', add(get('scan'), i32(scanLayout.components)))}
  ${set('end', add(get('component'), mul(field('componentCount'), i32(scanLayout.componentBytes))))}
  (loop $${label}
    ${body}
    ${increase('component', i32(scanLayout.componentBytes))}
    (br_if $${label} (i32.lt_u ${get('component')} ${get('end')})))`;

const decodeMcu = eachComponent(
  'next_component',
  `${set('v', i32(0))}
   ${set('vertical', part('vertical'))}
   ${set('horizontal', part('horizontal'))}
   (loop $next_v
     ${set('row', load(add(get('component'), shl(get('v'), 2)), componentLayout.rows))}
     ${set('x', mul(get('mcu'), get('horizontal')))}
     ${set('xEnd', add(get('x'), get('horizontal')))}
     (loop $next_h
       ${decodeBlock}
       ${increase('x', i32(1))}
       (br_if $next_h (i32.lt_u ${get('x')} ${get('xEnd')})))
     ${increase('v', i32(1))}
     (br_if $next_v (i32.lt_u ${get('v')} ${get('vertical')})))`,
);

/** To the 32 bits at most that `BitReader` holds: whole bytes that were taken too early are given back. */
const narrowBits = `
  (block $narrow (loop $give_back
    (br_if $narrow (i32.le_u ${get('count')} ${i32(32)}))
    ${set('count', sub(get('count'), i32(8)))}
    ${when(
      get('supplied'),
      set('supplied', sub(get('supplied'), i32(8))),
      `${set('position', sub(get('position'), i32(1)))}
       ${when(
         `(i32.gt_u ${get('position')} ${get('first')})`,
         when(
           `(i32.eq (i32.load16_u ${sub(get('position'), i32(1))}) ${i32(0x00ff)})`,
           set('position', sub(get('position'), i32(1))),
         ),
       )}`,
    )}
    (br $give_back)))
  ${setField(
    'bits',
    `(i32.wrap_i64 (i64.shr_u (i64.shr_u ${get('bits')} (i64.const 32)) (i64.sub (i64.const 32) ${toI64(get('count'))})))`,
  )}`;

/**
 * Decodes MCUs of one row, from `mcu` up to `mcuEnd`, into samples: src/image/jpeg/scan.ts and what it calls. It
 * goes no further than `stop`, and leaves to TypeScript, untouched, an MCU in which a code is found that does not
 * exist, or that needs bits behind the segment's end: what such data means is decided in one place.
 *
 * @returns 1 if `mcu` is such an MCU.
 * @see ITU-T T.81 F.2.2, A.2 (order of blocks)
 */
export const decodeSequential = toFunction({
  name: 'decode_sequential',
  exported: true,
  params: ['scan'],
  result: 'i32',
  i32: [
    ...['count', 'position', 'supplied', 'first', 'stop', 'mcu', 'mcuEnd', 'block'],
    ...['savedCount', 'savedPosition', 'savedSupplied', 'component', 'end', 'v', 'vertical', 'horizontal'],
    ...['x', 'xEnd', 'row', 'table', 'symbol', 'size', 'value', 'k', 'last', 'lastKept', 'steps', 'step'],
    ...['entry', 'next', 'side', 'stride', 'out', 'dc', 'givenUp'],
  ],
  i64: ['bits', 'savedBits'],
  v128: ['ahead'],
  body: `
  ${['count', 'position', 'supplied', 'stop', 'mcu', 'mcuEnd', 'block']
    .map((name) => set(name, field(name as keyof typeof scanLayout)))
    .join('\n')}
  ${set('first', get('position'))}
  ${set(
    'bits',
    `(i64.shl (i64.shl ${toI64(field('bits'))} (i64.const 32)) (i64.sub (i64.const 32) ${toI64(get('count'))}))`,
  )}
  (block $done (loop $next_mcu
    (br_if $done (i32.ge_u ${get('mcu')} ${get('mcuEnd')}))
    (br_if $done (i32.ge_u ${get('position')} ${get('stop')}))
    ${set('savedBits', get('bits'))}
    ${set('savedCount', get('count'))}
    ${set('savedPosition', get('position'))}
    ${set('savedSupplied', get('supplied'))}
    ${eachComponent('save', store(get('component'), componentLayout.savedPrediction, part('prediction')))}
    (block $give_up
      ${decodeMcu}
      ${increase('mcu', i32(1))}
      (br_if $next_mcu (i32.le_u ${get('supplied')} ${get('count')}))
      ${set('mcu', sub(get('mcu'), i32(1)))})
    ${set('bits', get('savedBits'))}
    ${set('count', get('savedCount'))}
    ${set('position', get('savedPosition'))}
    ${set('supplied', get('savedSupplied'))}
    ${eachComponent('restore', store(get('component'), componentLayout.prediction, part('savedPrediction')))}
    (memory.fill ${get('block')} ${i32(0)} ${i32(blockSize * 4)})
    ${set('givenUp', i32(1))}))
  ${narrowBits}
  ${['count', 'position', 'supplied', 'mcu'].map((name) => setField(name as keyof typeof scanLayout, get(name))).join('\n')}
  ${get('givenUp')}`,
});
