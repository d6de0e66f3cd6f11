import { countUp, increase, select, set } from '../../lib/wasm-text/control.ts';
import { type I32, i32Locals, type Operand, v128Locals } from '../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../lib/wasm-text/function.ts';
import { i32Add, i32LtS, i32Mul, i32Shl, i32Sub } from '../../lib/wasm-text/integers.ts';
import { at, v128Load } from '../../lib/wasm-text/memory.ts';
import { i32x4Add } from '../../lib/wasm-text/vectors.ts';
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
import { plane, products, sumsBytes } from './winograd-products.ts';
import { nameOf, type transformOutput } from './winograd-transforms.ts';
import type { WinogradVariant } from './winograd-variants.ts';

/** First row of tiles of a block, and how many it has; tiles of a row; first channel of a panel. */
const [firstRow, rows, tilesX, channel] = i32Locals('firstRow', 'rows', 'tilesX', 'channel');
/** A tile of the block; a pixel of the tile, and how many of these lie within the output. */
const [tileY, tileX, y, x, endY, endX] = i32Locals('tileY', 'tileX', 'y', 'x', 'endY', 'endX');
/** First pixel of a tile; addresses of a pixel's sums, of its result and of its residual, and of those of its row. */
const [firstY, firstX, sums, output, outputRow, residual, residualRow] = i32Locals(
  'firstY',
  'firstX',
  'sums',
  'output',
  'outputRow',
  'residual',
  'residualRow',
);
const [constants, outputStep, residualStep] = i32Locals('constants', 'outputStep', 'residualStep');
export const biases = v128Locals('bias0', 'bias1');

export const lesser = (a: Operand<'i32'>, b: Operand<'i32'>) => select(a, b, i32LtS(a, b));

/** Multipliers and biases of the panel's channels. */
export const loadChannelConstants = (first: I32) => [
  set(constants, i32Add(field('multiplier'), i32Shl(first, 2))),
  multipliers.map((local, half) => set(local, v128Load(at(constants, half * 16)))),
  set(constants, i32Add(field('bias'), i32Shl(first, 2))),
  biases.map((local, half) => set(local, v128Load(at(constants, half * 16)))),
];
/** Locals that it needs. */
export const channelConstants = [constants, ...multipliers, ...biases];

/** One tile's products, from `products` on, to the pixels of it that lie within the output. */
const storeTile = (
  side: number,
  activations: Activations,
  toSums: ReturnType<typeof transformOutput>,
  hasResidual: boolean,
) => {
  /** The part of the tile that lies within the output. */
  const within = (axis: 'width' | 'height', start: I32) => lesser(side, i32Sub(field(axis), start));
  const firstOf = (base: 'output' | 'residual') =>
    i32Add(
      i32Add(field(base), i32Mul(channel, activations.bytes)),
      i32Add(i32Mul(firstY, field(`${base}StepY`)), i32Mul(firstX, field(`${base}StepX`))),
    );
  const sumsOfPixel: SumsOfPixel = [
    i32x4Add(v128Load(at(sums, 0)), biases[0]),
    i32x4Add(v128Load(at(sums, 16)), biases[1]),
  ];
  return [
    toSums.call(products, plane),
    set(firstY, i32Mul(i32Add(firstRow, tileY), side)),
    set(firstX, i32Mul(tileX, side)),
    set(endY, within('height', firstY)),
    set(endX, within('width', firstX)),
    set(outputRow, firstOf('output')),
    hasResidual ? set(residualRow, firstOf('residual')) : [],
    countUp(y, endY, 1, [
      set(sums, i32Add(products, i32Mul(i32Mul(y, side), plane))),
      set(output, outputRow),
      hasResidual ? set(residual, residualRow) : [],
      countUp(x, endX, 1, [
        hasResidual
          ? [storeSum(activations, sumsOfPixel, output, residual), increase(residual, residualStep)]
          : storeResult(activations, sumsOfPixel, output),
        increase(sums, plane),
        increase(output, outputStep),
      ]),
      increase(outputRow, field('outputStepY')),
      hasResidual ? increase(residualRow, field('residualStepY')) : [],
    ]),
    increase(products, sumsBytes),
  ];
};

/**
 * The products of a block of rows of tiles, eight channels of them, to outputs. There is a function for outputs with a
 * residual and one for those without: constants of both are more than there are registers.
 */
export function storeBlock(
  winograd: WinogradVariant,
  activations: Activations,
  toSums: ReturnType<typeof transformOutput>,
  hasResidual: boolean,
) {
  return wasmFunction({
    name: `winograd_${hasResidual ? 'sums' : 'results'}_${nameOf(winograd)}`,
    params: [descriptor, channel, firstRow, rows, tilesX, plane],
    locals: [
      ...[tileY, tileX, y, x, endY, endX, firstY, firstX, sums, output, outputRow, residual, residualRow],
      ...[products, outputStep, residualStep, residualFirst, ...channelConstants, ...finishLocals],
    ],
    body: [
      hasResidual
        ? [
            loadSumConstants,
            set(residualFirst, field('residualFirst')),
            set(residualStep, field('residualStepX')),
          ]
        : loadResultConstants,
      set(outputStep, field('outputStepX')),
      loadChannelConstants(channel),
      set(products, field('products')),
      countUp(
        tileY,
        rows,
        1,
        countUp(tileX, tilesX, 1, storeTile(winograd.side, activations, toSums, hasResidual)),
      ),
    ],
  });
}
