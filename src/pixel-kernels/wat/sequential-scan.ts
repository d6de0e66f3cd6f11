import { lookaheadBits, maxCodeLength, skipEnd } from '../../image/jpeg/huffman.ts';
import { componentLayout, scanLayout, tableLayout } from '../../image/jpeg/kernel-layout.ts';
import { pairEnd } from '../../image/jpeg/kernel-tables.ts';
import { add, get, i32, increase, mul, set, shl, toFunction } from '../../wasm-text/wat.ts';

/** Look-ups that 56 bits suffice for: a pair takes what was looked at, a skip up to 15 bits of a value more. */
const pairsPerFetch = Math.floor(56 / lookaheadBits);
const skipsPerFetch = Math.floor(56 / (lookaheadBits + 15));
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

/** Likewise as many as the low 6 bits of an entry say; a shift takes no others. */
const consumeEntry = (entry: string) => `
  ${set('bits', `(i64.shl ${get('bits')} ${entry})`)}
  ${set('count', sub(get('count'), and(get('entry'), 63)))}`;

/**
 * 56 bits or more at hand: as many whole bytes of the next eight as fit. They stand in reverse order, so that one load
 * has the next of them on top. What stands in `bits` below `count` are then bits of the byte behind; setting them
 * again changes nothing.
 */
const fetch = `
  ${set('bits', `(i64.or ${get('bits')} (i64.shr_u (i64.load ${sub(get('position'), i32(7))}) ${toI64(get('count'))}))`)}
  ${set('position', sub(get('position'), `(i32.shr_u ${sub(i32(63), get('count'))} ${i32(3)})`))}
  ${set('count', `(i32.or ${get('count')} ${i32(56)})`)}`;

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

/** The next symbol of `table` into `symbol`, its bits consumed; no code: the MCU is given up. */
const readSymbol = `
  ${set('symbol', `(i32.load16_u offset=${tableLayout.symbols} ${add(get('table'), shl(prefix, 1))})`)}
  ${when(`(i32.eqz ${get('symbol')})`, findLongSymbol)}
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

/** `value` as the coefficient that `step` stands for; `last` is not zero once one is not. */
const storeCoefficient = (step: string, value: string) => `
  ${set('step', step)}
  ${set('product', mul(value, `(i32.shr_u ${get('step')} ${i32(9)})`))}
  ${store(add(get('block'), and(get('step'), 511)), 0, get('product'))}
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
  ${when(and(get('entry'), pairEnd), `${set('k', i32(blockSize))} (br $kept)`)}`;

/**
 * AC coefficients up to `lastKept`, two from one look-up where that holds both; leaves in `k` where to go on, and in
 * `last` whether one is not zero. What lies behind `lastKept`, or is none, goes to a place that nobody reads.
 *
 * @see ITU-T T.81 F.2.2.2, figure F.13
 */
const decodeAc = `
  (block $kept (loop $next_ac
    (br_if $kept (i32.gt_u ${get('k')} ${get('lastKept')}))
    ${fetch}
    (block $one_symbol
      ${takePair('$one_symbol')}
      ${Array.from(
        { length: pairsPerFetch - 1 },
        () => `
      (br_if $kept (i32.gt_u ${get('k')} ${get('lastKept')}))
      ${takePair('$next_ac')}`,
      ).join('\n')}
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
      ${Array.from({ length: skipsPerFetch - 1 }, () => takeSkip('$next_skip')).join('\n')}
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
     ${set('dc', mul(part('prediction'), `(i32.shr_u ${load(get('steps'), 0)} ${i32(9)})`))}
     ${when(get('last'), transform, writeFlat)}`,
  )}
  ${skipAc}`;

const eachComponent = (label: string, body: string) => `
  ${set('component', add(get('scan'), i32(scanLayout.components)))}
  ${set('componentsEnd', add(get('component'), mul(field('componentCount'), i32(scanLayout.componentBytes))))}
  (loop $${label}
    ${body}
    ${increase('component', i32(scanLayout.componentBytes))}
    (br_if $${label} (i32.lt_u ${get('component')} ${get('componentsEnd')})))`;

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

/**
 * Decodes MCUs of one row, from `mcu` up to `mcuEnd`, into samples: src/image/jpeg/scan.ts and what it calls. It
 * goes on to `stop`, and gives up, before it, an MCU in which a code is found that does not exist, or that needs bits
 * behind the segment's end: what such data means is decided in TypeScript.
 *
 * @returns 1 if `mcu` was given up.
 * @see ITU-T T.81 F.2.2, A.2 (order of blocks)
 */
export const decodeSequential = toFunction({
  name: 'decode_sequential',
  exported: true,
  params: ['scan'],
  result: 'i32',
  i32: [
    ...['count', 'position', 'end', 'stop', 'mcu', 'mcuEnd', 'block', 'savedCount', 'savedPosition'],
    ...['component', 'componentsEnd', 'v', 'vertical', 'horizontal', 'x', 'xEnd', 'row'],
    ...['table', 'symbol', 'size', 'value', 'length', 'code', 'entry', 'next'],
    ...[
      'k',
      'last',
      'lastKept',
      'steps',
      'from',
      'step',
      'product',
      'side',
      'stride',
      'out',
      'dc',
      'givenUp',
    ],
  ],
  i64: ['bits', 'savedBits', 'pair'],
  body: `
  ${['count', 'position', 'end', 'stop', 'mcu', 'mcuEnd', 'block']
    .map((name) => set(name, field(name as keyof typeof scanLayout)))
    .join('\n')}
  ${set('bits', `(i64.load offset=${scanLayout.bits} ${get('scan')})`)}
  (block $done (loop $next_mcu
    (br_if $done (i32.ge_u ${get('mcu')} ${get('mcuEnd')}))
    (br_if $done (i32.lt_u ${get('position')} ${get('stop')}))
    ${set('savedBits', get('bits'))}
    ${set('savedCount', get('count'))}
    ${set('savedPosition', get('position'))}
    ${eachComponent('save', store(get('component'), componentLayout.savedPrediction, part('prediction')))}
    (block $give_up
      ${decodeMcu}
      ;; as many bits as were taken behind the end must still be there
      (br_if $give_up (i32.gt_s ${shl(sub(sub(get('end'), i32(1)), get('position')), 3)} ${get('count')}))
      ${increase('mcu', i32(1))}
      (br $next_mcu))
    ${set('bits', get('savedBits'))}
    ${set('count', get('savedCount'))}
    ${set('position', get('savedPosition'))}
    ${eachComponent('restore', store(get('component'), componentLayout.prediction, part('savedPrediction')))}
    (memory.fill ${get('block')} ${i32(0)} ${i32(blockSize * 4)})
    ${set('givenUp', i32(1))}))
  (i64.store offset=${scanLayout.bits} ${get('scan')} ${get('bits')})
  ${['count', 'position', 'mcu'].map((name) => setField(name as keyof typeof scanLayout, get(name))).join('\n')}
  ${get('givenUp')}`,
});

const allOnes = `(v128.const i8x16 ${Array(16).fill(-1).join(' ')})`;

/**
 * Entropy-coded bytes from address `from` up to `end`, in reverse order: the first to address `to`, the next below.
 * Stuffed zeros are left out. It goes on to a marker, or to a last 0xFF of which it cannot tell what it is. Up to 16
 * bytes below the last are written too.
 *
 * @returns the address up to which it came; how much it wrote is in `written`.
 * @see ITU-T T.81 B.1.1.5
 */
export const unstuff = toFunction({
  name: 'unstuff',
  exported: true,
  params: ['scan', 'from', 'end', 'to'],
  result: 'i32',
  i32: ['first', 'clean', 'left'],
  v128: ['bytes'],
  body: `
  ${set('first', get('to'))}
  (block $stopped (loop $next
    (br_if $stopped (i32.ge_u ${get('from')} ${get('end')}))
    ${set('bytes', `(v128.load ${get('from')})`)}
    (v128.store ${sub(get('to'), i32(15))}
      (i8x16.shuffle ${Array.from({ length: 16 }, (_, i) => 15 - i).join(' ')} ${get('bytes')} ${get('bytes')}))
    ${set('clean', `(i8x16.bitmask (i8x16.eq ${get('bytes')} ${allOnes}))`)}
    ${set('left', sub(get('end'), get('from')))}
    ;; mostly so, and then nothing has to wait for what was found
    ${when(
      `(i32.and (i32.eqz ${get('clean')}) (i32.ge_u ${get('left')} ${i32(16)}))`,
      `${increase('from', i32(16))} ${set('to', sub(get('to'), i32(16)))} (br $next)`,
    )}
    ${set('clean', `(i32.ctz (i32.or ${get('clean')} ${i32(1 << 16)}))`)}
    ${set('clean', `(select ${get('clean')} ${get('left')} (i32.lt_u ${get('clean')} ${get('left')}))`)}
    ${increase('from', get('clean'))}
    ${set('to', sub(get('to'), get('clean')))}
    (br_if $stopped (i32.ge_u ${add(get('from'), i32(1))} ${get('end')}))
    (br_if $stopped (i32.load8_u offset=1 ${get('from')}))
    (i32.store8 ${get('to')} ${i32(255)})
    ${set('to', sub(get('to'), i32(1)))}
    ${increase('from', i32(2))}
    (br $next)))
  ${setField('written', sub(get('first'), get('to')))}
  ${get('from')}`,
});
