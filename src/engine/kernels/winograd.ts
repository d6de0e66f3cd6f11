import { countUp, increase, set, when } from '../../lib/wasm-text/control.ts';
import { i32Locals } from '../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../lib/wasm-text/function.ts';
import { i32Add, i32DivU, i32Mul, i32Sub } from '../../lib/wasm-text/integers.ts';
import { panelChannels } from '../kernel-layout.ts';
import { positionsAlong } from '../winograd-tiles.ts';
import type { Activations } from './activations.ts';
import { descriptor, field } from './descriptor-fields.ts';
import { lesser, storeBlock } from './winograd-outputs.ts';
import {
  type MultiplyTiles,
  measureRuns,
  multiplyPositions,
  plane,
  productLocals,
  tiles,
} from './winograd-products.ts';
import { nameOf, transformInput, transformOutput, transformPanel } from './winograd-transforms.ts';
import {
  stridedTilesOf2,
  stridedTilesOf4,
  tilesOf2,
  tilesOf4,
  type WinogradVariant,
} from './winograd-variants.ts';

/** 3 x 3 convolutions of stride 1 with fewer products, and the same sums: see winograd-variants.ts. */

/** First row of tiles of a block, and how many it has; tiles of the output along both axes. */
const [firstRow, rows, tilesX, tilesY] = i32Locals('firstRow', 'rows', 'tilesX', 'tilesY');
/** First channel of a panel; address of its weights in the file. */
const [channel, weights] = i32Locals('channel', 'weights');

/** Rows and tiles of the next block. */
const measureBlock = [
  set(rows, lesser(field('tileRows'), i32Sub(tilesY, firstRow))),
  set(tiles, i32Mul(rows, tilesX)),
  measureRuns,
];

/** One block of rows of tiles: its inputs transformed, then for each weight panel products, sums and outputs. */
function variant(winograd: WinogradVariant, activations: Activations, multiply: readonly MultiplyTiles[]) {
  const { side } = winograd;
  const tilesAlong = (axis: 'width' | 'height') => i32DivU(i32Add(field(axis), side - 1), side);
  const toV = transformInput(winograd, activations);
  const toPanel = transformPanel(winograd);
  const toSums = transformOutput(winograd);
  const [results, sums] = [false, true].map((hasResidual) =>
    storeBlock(winograd, activations, toSums, hasResidual),
  ) as [ReturnType<typeof storeBlock>, ReturnType<typeof storeBlock>];
  const block = [descriptor, channel, firstRow, rows, tilesX, plane] as const;
  const onePanel = [
    toPanel.call(weights, field('panel'), field('inputChannels')),
    increase(weights, i32Mul(field('inputChannels'), 9 * panelChannels)),
    multiplyPositions(multiply, positionsAlong(winograd) ** 2),
    when(field('residual'), sums.call(...block), results.call(...block)),
  ];
  const convolve = wasmFunction({
    name: `convolve_winograd_${nameOf(winograd)}`,
    exported: true,
    params: [descriptor],
    locals: [...productLocals, firstRow, rows, tilesX, tilesY, channel, weights],
    body: [
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
  return [toV, toPanel, toSums, results, sums, convolve];
}

export const winograd = (activations: Activations, multiply: readonly MultiplyTiles[]) => [
  ...variant(tilesOf2, activations, multiply),
  ...variant(tilesOf4, activations, multiply),
];

/** The same of stride 2, on the plain kernels. */
export const stridedWinograd = (activations: Activations, multiply: readonly MultiplyTiles[]) => [
  ...variant(stridedTilesOf2, activations, multiply),
  ...variant(stridedTilesOf4, activations, multiply),
];
