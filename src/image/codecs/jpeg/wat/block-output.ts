import { add, get, i32, increase, mul, set, store, toI64, when } from '../../../../lib/wasm-text/wat.ts';
import { workspaceOffset } from '../wasm/layout.ts';

/* Samples of a block: `side` x `side` of them from address `out` on, rows `stride` apart, by its DC in `dc`. */

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

/** `fillFlat` of src/image/codecs/jpeg/idct-islow.ts: one value for all samples of a block. */
export const writeFlat = `
  ${set('value', add(`(i32.shr_s ${add(get('dc'), i32(4))} ${i32(3)})`, i32(128)))}
  ${set('value', `(select ${i32(0)} ${get('value')} (i32.lt_s ${get('value')} ${i32(0)}))`)}
  ${set('value', `(select ${i32(255)} ${get('value')} (i32.gt_s ${get('value')} ${i32(255)}))`)}
  ${bySide(fill)}`;

/** Of the AC coefficients in `block` too, which are zero then, as far as the transform of that side reads them. */
export const transform = `
  ${store(get('block'), 0, get('dc'))}
  ${bySide((side) => {
    if (side === 8)
      return `(call $idct_islow ${get('block')} ${add(get('block'), i32(workspaceOffset))} ${get('out')} ${get('stride')})`;
    // Of a block that becomes one sample no AC coefficient is kept.
    return side === 1 ? '' : `(call $idct_${side} ${get('block')} ${get('out')} ${get('stride')})`;
  })}`;
