import { countUp, increase, select, set, when } from '../../lib/wasm-text/control.ts';
import { type I32, i32Locals, type Operand, v128Locals } from '../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../lib/wasm-text/function.ts';
import { i32Add, i32DivU, i32LtS, i32Mul, i32Shl, i32Sub } from '../../lib/wasm-text/integers.ts';
import { at, v128Load } from '../../lib/wasm-text/memory.ts';
import { i32x4Add } from '../../lib/wasm-text/vectors.ts';
import { panelChannels } from '../kernel-layout.ts';
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
  type MultiplyTiles,
  measureRuns,
  multiplyPositions,
  plane,
  productLocals,
  products,
  sumsBytes,
  tiles,
} from './winograd-products.ts';
import { transformInput, transformOutput, transformPanel } from './winograd-transforms.ts';
import { tilesOf2, tilesOf4, type WinogradVariant } from './winograd-variants.ts';

/** 3 x 3 convolutions of stride 1 with fewer products, and the same sums: see winograd-variants.ts. */

/** First row of tiles of a block, and how many it has; tiles of the output along both axes. */
const [firstRow, rows, tilesX, tilesY] = i32Locals('firstRow', 'rows', 'tilesX', 'tilesY');
/** First channel of a panel; address of its weights in the file. */
const [channel, weights] = i32Locals('channel', 'weights');
/** A tile of the block; a pixel of the tile, and how many of these lie within the output. */
const [tileY, tileX, y, x, endY, endX] = i32Locals('tileY', 'tileX', 'y', 'x', 'endY', 'endX');
/** The pixel in the output; addresses of its sums and of its result. */
const [outputY, outputX, sums, output] = i32Locals('outputY', 'outputX', 'sums', 'output');
const [hasResidual, constants] = i32Locals('hasResidual', 'constants');
const biases = v128Locals('bias0', 'bias1');

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

/** Rows and tiles of the next block. */
const measureBlock = [
  set(rows, lesser(field('tileRows'), i32Sub(tilesY, firstRow))),
  set(tiles, i32Mul(rows, tilesX)),
  measureRuns,
];

/** Multipliers and biases of the panel's channels. */
const loadConstants = [
  set(constants, i32Add(field('multiplier'), i32Shl(channel, 2))),
  multipliers.map((local, half) => set(local, v128Load(at(constants, half * 16)))),
  set(constants, i32Add(field('bias'), i32Shl(channel, 2))),
  biases.map((local, half) => set(local, v128Load(at(constants, half * 16)))),
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
function variant(winograd: WinogradVariant, activations: Activations, multiply: readonly MultiplyTiles[]) {
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
      ...productLocals,
      ...[
        firstRow,
        rows,
        tilesX,
        tilesY,
        channel,
        weights,
        sums,
        tileY,
        tileX,
        y,
        x,
        endY,
        endX,
        outputY,
        outputX,
        output,
      ],
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

export const winograd = (activations: Activations, multiply: readonly MultiplyTiles[]) => [
  ...variant(tilesOf2, activations, multiply),
  ...variant(tilesOf4, activations, multiply),
];
