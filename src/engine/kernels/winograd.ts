import { countUp, increase, select, set, when } from '../../lib/wasm-text/control.ts';
import { type I32, i32Local, i32Locals, type Operand, v128Locals } from '../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../lib/wasm-text/function.ts';
import {
  i32Add,
  i32Const,
  i32DivU,
  i32LtS,
  i32Mul,
  i32RemU,
  i32Shl,
  i32Sub,
} from '../../lib/wasm-text/integers.ts';
import { at, v128Load } from '../../lib/wasm-text/memory.ts';
import { i32x4Add } from '../../lib/wasm-text/vectors.ts';
import { panelChannels, winogradSkew } from '../kernel-layout.ts';
import type { Activations } from './activations.ts';
import { descriptor, field } from './descriptor-fields.ts';
import {
  finishLocals,
  loadResultConstants,
  loadSumConstants,
  multipliers,
  residualFirst,
  type SumsOfPixel,
  storeResult,
  storeSum,
} from './requantize.ts';
import {
  inputs,
  multiplyBy,
  multiplyTiles,
  panel,
  products,
  sumsBytes,
  tilePixels,
} from './winograd-products.ts';
import { transformInput, transformOutput, transformPanel } from './winograd-transforms.ts';
import { tilesOf2, tilesOf4, type WinogradVariant } from './winograd-variants.ts';

/** 3 x 3 convolutions of stride 1 with fewer products, and the same sums: see winograd-variants.ts. */

/** First row of tiles of a block, and how many it has; tiles of the output along both axes; tiles of the block. */
const [firstRow, rows, tilesX, tilesY, tiles] = i32Locals('firstRow', 'rows', 'tilesX', 'tilesY', 'tiles');
/** The block's tiles are `runs` times `size` and `rest` more. */
const [size, runs, rest] = i32Locals('size', 'runs', 'rest');
/** First channel of a panel; address of its weights in the file; a position of a tile. */
const [channel, weights, position] = i32Locals('channel', 'weights', 'position');
/** Bytes of a position's products. */
const plane = i32Local('plane');
/** A tile of the block; a pixel of the tile, and how many of these lie within the output. */
const [tileY, tileX, y, x, endY, endX] = i32Locals('tileY', 'tileX', 'y', 'x', 'endY', 'endX');
/** The pixel in the output; addresses of its sums and of its result. */
const [outputY, outputX, sums, output] = i32Locals('outputY', 'outputX', 'sums', 'output');
const [hasResidual, constants] = i32Locals('hasResidual', 'constants');
const biases = v128Locals('bias0', 'bias1');

const divideUp = (value: I32, by: Operand<'i32'>) => i32DivU(i32Sub(i32Add(value, by), 1), by);
const lesser = (a: Operand<'i32'>, b: Operand<'i32'>) => select(a, b, i32LtS(a, b));

/** Adds the bias to the sums at `sums`, and stores them as any convolution's. */
const storePixel = (activations: Activations) => {
  const address = (base: 'output' | 'residual') =>
    i32Add(
      i32Add(field(base), i32Mul(channel, activations.bytes)),
      i32Add(i32Mul(outputY, field(`${base}StepY`)), i32Mul(outputX, field(`${base}StepX`))),
    );
  const sumsOfPixel: SumsOfPixel = [
    i32x4Add(v128Load(at(sums, 0)), biases[0]),
    i32x4Add(v128Load(at(sums, 16)), biases[1]),
  ];
  return [
    set(output, address('output')),
    when(
      hasResidual,
      storeSum(activations, sumsOfPixel, output, address('residual')),
      storeResult(activations, sumsOfPixel, output),
    ),
  ];
};

/** How the block's tiles are cut into runs, and what the transforms make room for. */
const measureBlock = [
  set(rows, lesser(field('tileRows'), i32Sub(tilesY, firstRow))),
  set(tiles, i32Mul(rows, tilesX)),
  set(size, divideUp(tiles, divideUp(tiles, tilePixels))),
  set(runs, i32DivU(tiles, size)),
  set(rest, i32RemU(tiles, size)),
  set(plane, i32Add(i32Mul(tiles, sumsBytes), winogradSkew)),
];

/** Multipliers and biases of the panel's channels. */
const loadConstants = [
  set(constants, i32Add(field('multiplier'), i32Shl(channel, 2))),
  multipliers.map((local, half) => set(local, v128Load(at(constants, half * 16)))),
  set(constants, i32Add(field('bias'), i32Shl(channel, 2))),
  biases.map((local, half) => set(local, v128Load(at(constants, half * 16)))),
];

/** The products of all positions, from `inputs` and the transformed panel. */
const multiplyPositions = (multiply: readonly ReturnType<typeof multiplyTiles>[], positions: number) => [
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

/** One tile's products, from `products` on, to the pixels of it that lie within the output. */
const storeTile = (side: number, activations: Activations, toSums: ReturnType<typeof transformOutput>) => {
  /** The part of the tile that lies within the output. */
  const within = (axis: 'width' | 'height', start: I32) => lesser(side, i32Sub(field(axis), start));
  return [
    toSums.call(products, plane),
    set(outputY, i32Mul(i32Add(firstRow, tileY), side)),
    set(endY, within('height', outputY)),
    countUp(y, endY, 1, [
      set(sums, i32Add(products, i32Mul(i32Mul(y, side), plane))),
      set(outputX, i32Mul(tileX, side)),
      set(endX, within('width', outputX)),
      countUp(x, endX, 1, [storePixel(activations), increase(sums, plane), increase(outputX, 1)]),
      increase(outputY, 1),
    ]),
    increase(products, sumsBytes),
  ];
};

/** One block of rows of tiles: its inputs transformed, then for each weight panel products, sums and outputs. */
function variant(
  winograd: WinogradVariant,
  activations: Activations,
  multiply: readonly ReturnType<typeof multiplyTiles>[],
) {
  const { side } = winograd;
  const tilesAlong = (axis: 'width' | 'height') => i32DivU(i32Add(field(axis), side - 1), side);
  const toV = transformInput(winograd, activations);
  const toPanel = transformPanel(winograd);
  const toSums = transformOutput(winograd);
  const onePanel = [
    toPanel.call(weights, field('panel'), field('inputChannels')),
    increase(weights, i32Mul(field('inputChannels'), 9 * panelChannels)),
    multiplyPositions(multiply, (side + 2) ** 2),
    loadConstants,
    set(products, field('products')),
    countUp(tileY, rows, 1, countUp(tileX, tilesX, 1, storeTile(side, activations, toSums))),
  ];
  const convolve = wasmFunction({
    name: `convolve_winograd_${side}`,
    exported: true,
    params: [descriptor],
    locals: [
      ...[firstRow, rows, tilesX, tilesY, tiles, channel, position, size, runs, rest, inputs, weights],
      ...[panel, products, sums, plane, tileY, tileX, y, x, endY, endX, outputY, outputX, output],
      ...[hasResidual, residualFirst, constants],
      ...[...multipliers, ...biases, ...finishLocals],
    ],
    body: [
      loadResultConstants,
      loadSumConstants,
      set(hasResidual, field('residual')),
      set(residualFirst, field('residualFirst')),
      set(tilesX, tilesAlong('width')),
      set(tilesY, tilesAlong('height')),
      countUp(firstRow, tilesY, field('tileRows'), [
        measureBlock,
        toV.call(descriptor, firstRow, rows, tilesX),
        set(weights, field('weights')),
        countUp(channel, field('channels'), panelChannels, onePanel),
      ]),
    ],
  });
  return [toV, toPanel, toSums, convolve];
}

export const winograd = (activations: Activations) => {
  const multiply = Array.from({ length: tilePixels }, (_, index) => multiplyTiles(index + 1));
  return [
    ...multiply,
    ...variant(tilesOf2, activations, multiply),
    ...variant(tilesOf4, activations, multiply),
  ];
};
