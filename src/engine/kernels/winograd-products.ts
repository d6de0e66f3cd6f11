import { branchIf, increase, loop, nop, repeat, set, tee, when } from '../../lib/wasm-text/control.ts';
import { type I32, i32Locals } from '../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../lib/wasm-text/function.ts';
import { i32Const, i32Eq, i32Mul, i32Shl, i32Sub } from '../../lib/wasm-text/integers.ts';
import { at, v128Store } from '../../lib/wasm-text/memory.ts';
import { kernelTraits, panelChannels, scratch } from '../kernel-layout.ts';
import { field } from './descriptor-fields.ts';
import { accumulator, dotLoop, dotLoopLocals, pointer, weightPointer, widenedOperands } from './dot-loop.ts';

/** Winograd's products are int16's on every kernel set. */
export const { tilePixels } = kernelTraits.plain;
/** Bytes of 8 sums. */
export const sumsBytes = panelChannels * 4;

/** Addresses of a position's panel of weights, of its inputs that come next, of the products they make. */
export const [panel, inputs, products] = i32Locals('panel', 'inputs', 'products');
const [length, runs, tileBytes] = i32Locals('length', 'runs', 'tileBytes');

/** `runs` times `tiles` tiles of one position, times one panel of it: sums to `products`. */
export function multiplyTiles(tiles: number) {
  return wasmFunction({
    name: `winograd_products_${tiles}`,
    params: [panel, inputs, products, length, runs],
    locals: [...dotLoopLocals(tiles), weightPointer, tileBytes],
    body: [
      set(tileBytes, i32Shl(length, 1)),
      loop('run', (nextRun) => [
        repeat(tiles, (tile) => [set(pointer(tile), inputs), increase(inputs, tileBytes)]),
        set(weightPointer, panel),
        dotLoop(tiles, widenedOperands, { bias: i32Const(scratch.zeros), length }),
        repeat(tiles * 2, (index) => v128Store(at(products, index * 16), accumulator(index >> 1, index & 1))),
        increase(products, tiles * sumsBytes),
        branchIf(nextRun, tee(runs, i32Sub(runs, 1))),
      ]),
    ],
  });
}

/** `times` times as many tiles as `size` says, 0 to tilePixels; `inputs` and `products` move behind them. */
export const multiplyBy = (multiply: readonly ReturnType<typeof multiplyTiles>[], size: I32, times: I32) => [
  multiply.reduce(
    (others, some, index) =>
      when(i32Eq(size, index + 1), some.call(panel, inputs, products, field('inputChannels'), times), others),
    nop,
  ),
  increase(inputs, i32Mul(i32Mul(times, size), i32Shl(field('inputChannels'), 1))),
  increase(products, i32Mul(i32Mul(times, size), sumsBytes)),
];
