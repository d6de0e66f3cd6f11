import {
  branchIf,
  countUp,
  increase,
  loop,
  nop,
  repeat,
  set,
  tee,
  when,
} from '../../lib/wasm-text/control.ts';
import { type I32, i32Local, i32Locals } from '../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../lib/wasm-text/function.ts';
import {
  i32Add,
  i32Const,
  i32DivU,
  i32Eq,
  i32Mul,
  i32RemU,
  i32Shl,
  i32Sub,
} from '../../lib/wasm-text/integers.ts';
import { at, v128Store } from '../../lib/wasm-text/memory.ts';
import { kernelTraits, panelChannels, scratch, winogradSkew } from '../kernel-layout.ts';
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
        dotLoop(tiles, widenedOperands, { bias: i32Const(scratch.zeros), length, isLong: true }),
        repeat(tiles * 2, (index) => v128Store(at(products, index * 16), accumulator(index >> 1, index & 1))),
        increase(products, tiles * sumsBytes),
        branchIf(nextRun, tee(runs, i32Sub(runs, 1))),
      ]),
    ],
  });
}

export type MultiplyTiles = ReturnType<typeof multiplyTiles>;

/** By tiles, from one on. */
export const multiplyRuns = () => Array.from({ length: tilePixels }, (_, index) => multiplyTiles(index + 1));

/** `times` times as many tiles as `size` says, 0 to tilePixels; `inputs` and `products` move behind them. */
const multiplyBy = (multiply: readonly MultiplyTiles[], size: I32, times: I32) => [
  multiply.reduce(
    (others, some, index) =>
      when(i32Eq(size, index + 1), some.call(panel, inputs, products, field('inputChannels'), times), others),
    nop,
  ),
  increase(inputs, i32Mul(i32Mul(times, size), i32Shl(field('inputChannels'), 1))),
  increase(products, i32Mul(i32Mul(times, size), sumsBytes)),
];

/** Tiles of a block: `runs` times `size`, and `rest` more. */
export const tiles = i32Local('tiles');
const [size, rest] = i32Locals('size', 'rest');
/** Bytes of a position's products; a position of a tile. */
export const [plane, position] = i32Locals('plane', 'position');
/** Locals that `measureRuns` and `multiplyPositions` need. */
export const productLocals = [tiles, size, runs, rest, plane, position, panel, inputs, products];

const divideUp = (value: I32, by: number) => i32DivU(i32Sub(i32Add(value, by), 1), by);

/** How the block's tiles are cut into runs, and what the transforms make room for. */
export const measureRuns = [
  set(runs, divideUp(tiles, tilePixels)),
  set(size, i32DivU(i32Sub(i32Add(tiles, runs), 1), runs)),
  set(runs, i32DivU(tiles, size)),
  set(rest, i32RemU(tiles, size)),
  set(plane, i32Add(i32Mul(tiles, sumsBytes), winogradSkew)),
];

/** The products of all positions, from the transformed inputs and the transformed panel. */
export const multiplyPositions = (multiply: readonly MultiplyTiles[], positions: number) => [
  set(panel, field('panel')),
  set(inputs, field('transformed')),
  set(products, field('products')),
  countUp(position, positions, 1, [
    multiplyBy(multiply, size, runs),
    multiplyBy(multiply, rest, i32Const(1)),
    increase(inputs, winogradSkew),
    increase(products, winogradSkew),
    increase(panel, i32Add(i32Mul(field('inputChannels'), panelChannels * 2), winogradSkew)),
  ]),
];
