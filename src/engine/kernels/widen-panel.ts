import { get, increase, repeat, toFunction } from '../../lib/wasm-text/wat.ts';

/**
 * A weight panel from int8 to int16, `bytes` of it (a multiple of 64): done once for all pixels of a
 * block, where the inner loop would do it for every tile.
 */
export const widenPanel = toFunction({
  name: 'widen_panel',
  params: ['source', 'target', 'bytes'],
  body: `
  (loop $next
    ${repeat(
      8,
      (index) =>
        `(v128.store offset=${index * 16} ${get('target')} (v128.load8x8_s offset=${index * 8} ${get('source')}))`,
    )}
    ${increase('source', '(i32.const 64)')} ${increase('target', '(i32.const 128)')}
    (br_if $next (local.tee $bytes (i32.sub ${get('bytes')} (i32.const 64)))))`,
});
