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
import { type Body, i32Local, i32Locals, v128Local, v128Locals } from '../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../lib/wasm-text/function.ts';
import { i32Add, i32DivU, i32Eq, i32LtS, i32Mul, i32Shl, i32Sub } from '../../lib/wasm-text/integers.ts';
import { at, v128Load, v128Load8x8S, v128Load32Splat, v128Store } from '../../lib/wasm-text/memory.ts';
import { i32x4Add, i32x4Const, i32x4DotI16x8S } from '../../lib/wasm-text/vectors.ts';
import { kernelTraits, panelChannels } from '../kernel-layout.ts';
import { stemLayout } from '../winograd-tiles.ts';
import { descriptor, field } from './descriptor-fields.ts';
import {
  channel,
  firstY,
  left,
  lesser,
  products,
  startOf,
  storeTiles,
  tile,
  tiles,
} from './winograd-stem-outputs.ts';
import { address, applyTwice, plane, planeRow, position, vector, vectors } from './winograd-transforms.ts';
import { kernelsOf4, sharedLocals } from './winograd-variants.ts';

/**
 * The first convolution, 7 x 7 with stride 2 on 3 channels, with fewer products and the same sums; on the plain
 * kernels. Each 2 x 2 pixels of the image are one of 12 channels: their kernel is 4 x 4 with stride 1 (the eighth row
 * and column are zeros), and Winograd's F(3 x 3, 4 x 4) takes 36 products where the direct way has 144. Two
 * neighbouring pixels of a row lie in six consecutive int16 elements, so that nothing is copied: a vector has the
 * six, and two more that no product reads.
 *
 * Sums come out 576 times too large, as those of `tilesOf4`, and are below 147 x 255 x 128 < 2^25.
 */

const { side, size, positions, tileBytes, pairs, positionBytes, weightRowBytes, tapBytes } = stemLayout;
const { tilePixels } = kernelTraits.plain;
/** Both rows of the 2 x 2 pixels. */
const rowsOfPixel = [0, 1] as const;

const [inputs, panel] = i32Locals('inputs', 'panel');
const [source, rowBytes] = i32Locals('source', 'rowBytes');

/** A row of tiles from output row `firstY` on: to V[tile][position][row of the pixel][8]. */
const transformInputs = wasmFunction({
  name: 'stem_inputs',
  params: [descriptor, firstY, tiles],
  locals: [
    ...[tile, inputs, source, rowBytes, address, position, plane, planeRow],
    ...vectors(size, size),
    ...sharedLocals,
  ],
  body: [
    set(inputs, field('transformed')),
    set(rowBytes, field('inputRowBytes')),
    set(plane, 32),
    countUp(tile, tiles, 1, [
      rowsOfPixel.map((row) => [
        set(source, i32Add(field('input'), i32Mul(i32Add(i32Shl(firstY, 1), row), rowBytes))),
        increase(source, i32Mul(startOf(tile, 'width'), 12)),
        repeat(size, (y) => [
          repeat(size, (x) => set(vector(y, x), v128Load(at(source, 12 * x)))),
          increase(source, i32Shl(rowBytes, 1)),
        ]),
        set(address, i32Add(inputs, 16 * row)),
        applyTwice(kernelsOf4.input, [size, size]),
      ]),
      increase(inputs, tileBytes),
    ]),
  ],
});

const done = i32Local('done');

/** One panel as the file holds it, [7][12][8][2] int8, to U[position][row of the pixel][3][8][2] int16. */
const transformPanel = wasmFunction({
  name: 'stem_panel',
  params: [source, panel],
  locals: [done, address, position, plane, planeRow, ...vectors(size, size), ...sharedLocals],
  body: [
    set(plane, positionBytes),
    rowsOfPixel.map((row) =>
      countUp(done, tapBytes, 8, [
        repeat(4, (y) =>
          repeat(4, (x) => {
            const weights = v128Load8x8S(
              at(i32Add(source, done), (2 * y + row) * weightRowBytes + x * tapBytes),
            );
            return set(vector(y, x), 2 * y + row < 7 ? weights : i32x4Const(0));
          }),
        ),
        set(address, i32Add(i32Add(panel, row * tapBytes * 2), i32Shl(done, 1))),
        applyTwice(kernelsOf4.weights, [4, size]),
      ]),
    ),
  ],
});

const input = v128Local('input');
const weights = v128Locals('weights0', 'weights1');
const sums = (index: number, half: number) => v128Local(`sums${index}_${half}`);
/** Bytes from a position's inputs to those of a pair. */
const pairOffset = (pair: number) => Math.floor(pair / 3) * 16 + (pair % 3) * 4;

/** All positions of so many tiles, times a panel: to M[tile][position][8] int32. */
function multiplyTiles(count: number) {
  const each = <T>(make: (index: number, half: 0 | 1) => T) =>
    Array.from({ length: count }, (_, index) => [make(index, 0), make(index, 1)]).flat();
  const multiplyPair = (pair: number): Body => [
    weights.map((local, half) => set(local, v128Load(at(panel, pair * 32 + half * 16)))),
    repeat(count, (index) => [
      set(input, v128Load32Splat(at(inputs, index * tileBytes + pairOffset(pair)))),
      weights.map((local, half) => {
        const product = i32x4DotI16x8S(input, local);
        return set(sums(index, half), pair === 0 ? product : i32x4Add(sums(index, half), product));
      }),
    ]),
  ];
  return wasmFunction({
    name: `stem_products_${count}`,
    params: [panel, inputs, products],
    locals: [left, input, ...weights, ...each(sums)],
    body: [
      set(left, positions),
      loop('position', (next) => [
        repeat(pairs, multiplyPair),
        each((index, half) => v128Store(at(products, index * tileBytes + half * 16), sums(index, half))),
        increase(panel, positionBytes),
        increase(inputs, 32),
        increase(products, 32),
        branchIf(next, tee(left, i32Sub(left, 1))),
      ]),
    ],
  });
}

const [tileY, count] = i32Locals('tileY', 'count');
const tilesAlong = (axis: 'width' | 'height') => i32DivU(i32Add(field(axis), side - 1), side);

/** A row of tiles times one panel. */
const onePanel = (multiply: readonly ReturnType<typeof multiplyTiles>[]) => [
  set(inputs, field('transformed')),
  set(tile, 0),
  loop('tiles', (next) => [
    set(count, lesser(tilePixels, i32Sub(tiles, tile))),
    multiply.reduce(
      (others, some, index) =>
        when(i32Eq(count, index + 1), some.call(panel, inputs, field('products')), others),
      nop,
    ),
    storeTiles.call(descriptor, firstY, tile, count, channel),
    increase(inputs, i32Mul(count, tileBytes)),
    branchIf(next, i32LtS(tee(tile, i32Add(tile, count)), tiles)),
  ]),
  increase(panel, positions * positionBytes),
];

/** For outputs of 3 x 3 pixels and more. */
export function winogradStem() {
  const multiply = Array.from({ length: tilePixels }, (_, index) => multiplyTiles(index + 1));
  const convolve = wasmFunction({
    name: 'convolve_winograd_3',
    exported: true,
    params: [descriptor],
    locals: [source, panel, channel, tiles, tileY, firstY, inputs, tile, count],
    body: [
      set(source, field('weights')),
      set(panel, field('panel')),
      countUp(channel, field('channels'), panelChannels, [
        transformPanel.call(source, panel),
        increase(source, 7 * weightRowBytes),
        increase(panel, positions * positionBytes),
      ]),
      set(tiles, tilesAlong('width')),
      countUp(tileY, tilesAlong('height'), 1, [
        set(firstY, startOf(tileY, 'height')),
        transformInputs.call(descriptor, firstY, tiles),
        set(panel, field('panel')),
        countUp(channel, field('channels'), panelChannels, onePanel(multiply)),
      ]),
    ],
  });
  return [transformInputs, transformPanel, ...multiply, storeTiles, convolve];
}
