import { add, get, i32, increase, set, sub, toFunction, when } from '../../../../lib/wasm-text/wat.ts';
import { setField } from './entropy.ts';

const allOnes = `(v128.const i8x16 ${Array(16).fill(-1).join(' ')})`;

/**
 * Entropy-coded bytes from address `from` up to `end`, in reverse order: the first to address `to`, the next below.
 * Stuffed zeros are left out. It goes on to a marker, or to a last 0xFF of which it cannot tell what it is. Up to 16
 * bytes below the last are written too, and up to 15 behind `end` are read.
 *
 * @returns the address up to which it came; how much it wrote is in `written`.
 * @see ITU-T T.81 B.1.1.5
 */
export const unstuff = toFunction({
  name: 'unstuff',
  exported: true,
  params: ['scan', 'from', 'end', 'to'],
  result: 'i32',
  i32: ['first', 'escapes', 'clean', 'left'],
  v128: ['bytes'],
  body: `
  ${set('first', get('to'))}
  (block $stopped (loop $next
    (br_if $stopped (i32.ge_u ${get('from')} ${get('end')}))
    ${set('bytes', `(v128.load ${get('from')})`)}
    (v128.store ${sub(get('to'), i32(15))}
      (i8x16.shuffle ${Array.from({ length: 16 }, (_, i) => 15 - i).join(' ')} ${get('bytes')} ${get('bytes')}))
    ${set('escapes', `(i8x16.bitmask (i8x16.eq ${get('bytes')} ${allOnes}))`)}
    ${set('left', sub(get('end'), get('from')))}
    ;; mostly there is none, and then nothing has to wait for where it stands
    ${when(
      `(i32.and (i32.eqz ${get('escapes')}) (i32.ge_u ${get('left')} ${i32(16)}))`,
      `${increase('from', i32(16))} ${set('to', sub(get('to'), i32(16)))} (br $next)`,
    )}
    ${set('clean', `(i32.ctz (i32.or ${get('escapes')} ${i32(1 << 16)}))`)}
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
