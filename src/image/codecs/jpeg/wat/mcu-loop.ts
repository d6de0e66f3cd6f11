import {
  add,
  get,
  i32,
  increase,
  load,
  mul,
  set,
  shl,
  store,
  sub,
  toFunction,
} from '../../../../lib/wasm-text/wat.ts';
import { componentLayout, scanLayout } from '../wasm/layout.ts';
import { field, part, setField } from './entropy.ts';

/** `body` for each component of the scan, in `component`. */
export const eachComponent = (label: string, body: string) => `
  ${set('component', add(get('scan'), i32(scanLayout.components)))}
  ${set('componentsEnd', add(get('component'), mul(field('componentCount'), i32(scanLayout.componentBytes))))}
  (loop $${label}
    ${body}
    ${increase('component', i32(scanLayout.componentBytes))}
    (br_if $${label} (i32.lt_u ${get('component')} ${get('componentsEnd')})))`;

/** `body` for each block of an MCU: `x` is its index in the row of blocks of which `row` is the address. */
export const eachBlock = (body: string) =>
  eachComponent(
    'next_component',
    `${set('v', i32(0))}
     ${set('vertical', part('vertical'))}
     ${set('horizontal', part('horizontal'))}
     (loop $next_v
       ${set('row', load(add(get('component'), shl(get('v'), 2)), componentLayout.rows))}
       ${set('x', mul(get('mcu'), get('horizontal')))}
       ${set('xEnd', add(get('x'), get('horizontal')))}
       (loop $next_h
         ${body}
         ${increase('x', i32(1))}
         (br_if $next_h (i32.lt_u ${get('x')} ${get('xEnd')})))
       ${increase('v', i32(1))}
       (br_if $next_v (i32.lt_u ${get('v')} ${get('vertical')})))`,
  );

export interface ScanFunction {
  readonly name: string;
  /** Locals of its own; i32 unless they stand in `long`. */
  readonly locals: readonly string[];
  readonly long?: readonly string[];
  /** Fields of the scan that become locals in the beginning, and those that are written back. */
  readonly reads?: readonly (keyof typeof scanLayout)[];
  readonly writes?: readonly (keyof typeof scanLayout)[];
  /** Decodes MCU `mcu`; gives it up by a branch to `$give_up`. */
  readonly decodeMcu: string;
  /**
   * Before an MCU, and after one that was given up, beside the place in the data: whatever decides how TypeScript
   * decodes it again. Samples and coefficients that were written need not be restored, for what is given up ends in an
   * error before they are read.
   */
  readonly save: string;
  readonly restore: string;
}

/**
 * Decodes MCUs of one row, from `mcu` up to `mcuEnd`: what src/image/codecs/jpeg/scan.ts does. It goes on to `stop`, and
 * gives up, before it, an MCU in which a code is found that does not exist, or that needs bits behind the segment's
 * end: what such data means is decided in TypeScript. It returns 1 if `mcu` was given up.
 */
export function toScanFunction(scan: ScanFunction): string {
  const { name, locals, long = [], reads = [], writes = [], decodeMcu, save, restore } = scan;
  const copy = (names: readonly (keyof typeof scanLayout)[]) =>
    names.map((local) => set(local, field(local))).join('\n');
  const writeBack = (names: readonly (keyof typeof scanLayout)[]) =>
    names.map((local) => setField(local, get(local))).join('\n');
  return toFunction({
    name,
    exported: true,
    params: ['scan'],
    result: 'i32',
    i32: [
      ...['count', 'position', 'end', 'stop', 'mcu', 'mcuEnd', 'savedCount', 'savedPosition', 'givenUp'],
      ...['component', 'componentsEnd', 'v', 'vertical', 'horizontal', 'x', 'xEnd', 'row'],
      ...['table', 'symbol', 'size', 'value', 'length', 'code', 'entry', 'next'],
      ...reads,
      ...locals,
    ],
    i64: ['bits', 'savedBits', 'pair', ...long],
    body: `
    ${copy(['count', 'position', 'end', 'stop', 'mcu', 'mcuEnd', ...reads])}
    ${set('bits', `(i64.load offset=${scanLayout.bits} ${get('scan')})`)}
    (block $done (loop $next_mcu
      (br_if $done (i32.ge_u ${get('mcu')} ${get('mcuEnd')}))
      (br_if $done (i32.lt_u ${get('position')} ${get('stop')}))
      ${set('savedBits', get('bits'))}
      ${set('savedCount', get('count'))}
      ${set('savedPosition', get('position'))}
      ${save}
      (block $give_up
        ${decodeMcu}
        ;; as many bits as were taken behind the end must still be there
        (br_if $give_up (i32.gt_s ${shl(sub(sub(get('end'), i32(1)), get('position')), 3)} ${get('count')}))
        ${increase('mcu', i32(1))}
        (br $next_mcu))
      ${set('bits', get('savedBits'))}
      ${set('count', get('savedCount'))}
      ${set('position', get('savedPosition'))}
      ${restore}
      ${set('givenUp', i32(1))}))
    (i64.store offset=${scanLayout.bits} ${get('scan')} ${get('bits')})
    ${writeBack(['count', 'position', 'mcu', ...writes])}
    ${get('givenUp')}`,
  });
}

export const savePredictions = eachComponent(
  'save',
  store(get('component'), componentLayout.savedPrediction, part('prediction')),
);
export const restorePredictions = eachComponent(
  'restore',
  store(get('component'), componentLayout.prediction, part('savedPrediction')),
);
