import { branchIf, increase, loop, repeat, tee } from '../../lib/wasm-text/control.ts';
import { i32Locals } from '../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../lib/wasm-text/function.ts';
import { i32Sub } from '../../lib/wasm-text/integers.ts';
import { at, v128Load8x8S, v128Store } from '../../lib/wasm-text/memory.ts';

const [source, target, bytes] = i32Locals('source', 'target', 'bytes');

/**
 * A weight panel from int8 to int16, `bytes` of it (a multiple of 64): done once for all pixels of a
 * block, where the inner loop would do it for every tile.
 */
export const widenPanel = wasmFunction({
  name: 'widen_panel',
  params: [source, target, bytes],
  body: loop('next', (next) => [
    repeat(8, (index) => v128Store(at(target, index * 16), v128Load8x8S(at(source, index * 8)))),
    increase(source, 64),
    increase(target, 128),
    branchIf(next, tee(bytes, i32Sub(bytes, 64))),
  ]),
});
