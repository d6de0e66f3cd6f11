import { branchIf, countUp, increase, loop, repeat, set, tee, when } from '../../lib/wasm-text/control.ts';
import {
  type Body,
  i32Local,
  i32Locals,
  type V128,
  v128Local,
  v128Locals,
} from '../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../lib/wasm-text/function.ts';
import { i32Add, i32And, i32Mul, i32Shl, i32ShrU, i32Sub } from '../../lib/wasm-text/integers.ts';
import { at, v128Load, v128Load8x8S, v128Load32Splat, v128Store } from '../../lib/wasm-text/memory.ts';
import {
  i32x4Add,
  i32x4Const,
  i32x4DotI16x8S,
  i32x4Mul,
  i32x4ShrS,
  i32x4Splat,
} from '../../lib/wasm-text/vectors.ts';
import { panelChannels, winogradSkew } from '../kernel-layout.ts';
import { sevenLayout } from '../winograd-tiles.ts';
import type { Activations } from './activations.ts';
import { descriptor, field, laneField } from './descriptor-fields.ts';
import {
  finishLocals,
  loadResultConstants,
  loadSumConstants,
  residualFirst,
  type SumsOfPixel,
  storeResult,
  storeSum,
} from './requantize.ts';
import { biases, channelConstants, loadChannelConstants } from './winograd-outputs.ts';
import { orderOf, placesOf, runs, size, slotOf, type Tile, tiles } from './winograd-seven-tiles.ts';
import { apply, vector, vectors } from './winograd-transforms.ts';
import {
  plainTilesOf3,
  plainTilesOf4,
  plainWeights,
  sharedLocals,
  type Transform,
  tilesOf4,
} from './winograd-variants.ts';

/**
 * 3 x 3 convolutions of 7 x 7 outputs, where ResNets end. Seven rows are a tile of 4 and one of
 * 3, which has five of the six positions of the other along its side and reads the same transformed weights: 121
 * products for 441, where four tiles of 4 take 144. Each weight is used four times only, so that what its transform
 * costs counts: it is done for 32 input channels at a time, whose 36 panels stay in the L1 cache until they are used.
 *
 * An output of 14 x 14 is four blocks of 7 x 7. A slot is then one of each block, side by side.
 */
type Blocks = 1 | 4;
/** Index of a block; its first row and column are 7 x these. */
const block = i32Local('block');
const blockRow = i32ShrU(block, 1);
const blockColumn = i32And(block, 1);

const { chunkChannels, slots } = sevenLayout;
/** Bytes of a slot's inputs, of a position's weights, of a slot's sums. */
const slotBytes = chunkChannels * 2;
const panelBytes = chunkChannels * panelChannels * 2 + winogradSkew;
const slotSumBytes = panelChannels * 4;

const range = (count: number) => Array.from({ length: count }, (_, index) => index);
/** Both axes of vectors (y, x), which are in the locals of the same names; `store` gets the results. */
function applyBoth(
  [alongY, alongX]: readonly [Transform, Transform],
  [rows, columns]: readonly [number, number],
  [resultRows, resultColumns]: readonly [number, number],
  store: (y: number, x: number, result: V128) => Body,
): Body {
  return [
    repeat(rows, (y) =>
      apply(
        alongX,
        range(columns).map((x) => vector(y, x)),
        range(resultColumns).map((x) => vector(y, x)),
      ),
    ),
    repeat(resultColumns, (x) => {
      const results = range(resultRows).map((y) => vector(y, x));
      return [
        apply(
          alongY,
          range(rows).map((y) => vector(y, x)),
          results,
        ),
        results.map((result, y) => store(y, x, result)),
      ];
    }),
  ];
}

const variantOf = (isShort: boolean) => (isShort ? plainTilesOf3 : plainTilesOf4);
const sidesOf = ({ isShort }: Tile) => isShort.map((short) => placesOf(short).length) as [number, number];
const nameOf = ({ isShort }: Tile) => isShort.map((short) => (short ? 3 : 4)).join('x');

const [address, row, channel, inputs, source, panel, products] = i32Locals(
  'address',
  'row',
  'channel',
  'inputs',
  'source',
  'panel',
  'products',
);
const zero = v128Local('zero');
const [pixelBytes, rowBytes, bytes, done] = i32Locals('pixelBytes', 'rowBytes', 'bytes', 'done');

/** One tile of all channels to its slots of V[chunk][slot][32 channels], int16. */
function transformInput(tile: Tile, blocks: Blocks, activations: Activations) {
  const { isShort } = tile;
  const [rows, columns] = sidesOf(tile);
  const places = isShort.map(placesOf);
  // The tile of 3 begins behind the four outputs of the other.
  const [firstRow, firstColumn] = isShort.map((short) => (short ? 4 : 0)) as [number, number];
  return wasmFunction({
    name: `seven_input_${nameOf(tile)}_${blocks}`,
    params: [descriptor, block],
    locals: [
      channel,
      address,
      row,
      inputs,
      pixelBytes,
      rowBytes,
      zero,
      ...vectors(size, size),
      ...sharedLocals,
    ],
    body: [
      set(rowBytes, field('inputRowBytes')),
      set(zero, laneField('inputZero')),
      set(pixelBytes, i32Mul(field('inputChannels'), activations.bytes)),
      countUp(channel, field('inputChannels'), 8, [
        set(
          row,
          i32Add(
            i32Add(field('input'), i32Mul(channel, activations.bytes)),
            i32Mul(rowBytes, i32Add(i32Mul(blockRow, 7), firstRow)),
          ),
        ),
        increase(row, i32Mul(pixelBytes, i32Add(i32Mul(blockColumn, 7), firstColumn))),
        repeat(rows, (y) => [
          set(address, row),
          repeat(columns, (x) => [
            set(vector(y, x), activations.loadCentred(address, zero)),
            increase(address, pixelBytes),
          ]),
          increase(row, rowBytes),
        ]),
        set(inputs, i32Add(field('transformed'), i32Mul(i32ShrU(channel, 5), blocks * slots * slotBytes))),
        increase(inputs, i32Mul(block, slotBytes)),
        increase(inputs, i32Shl(i32And(channel, chunkChannels - 1), 1)),
        applyBoth(
          [variantOf(isShort[0]).input, variantOf(isShort[1]).input],
          [rows, columns],
          [rows, columns],
          (y, x, result) =>
            v128Store(at(inputs, slotOf(tile, places[0]![y]!, places[1]![x]!) * blocks * slotBytes), result),
        ),
      ]),
    ],
  });
}

/** Bytes of a chunk's weights for one place of the kernel, as the file holds them. */
const placeBytes = chunkChannels * panelChannels;

/**
 * 32 input channels of a panel as the file holds it, [3][3 x channels / 2][8][2] int8, to U[position][16][8][2] int16.
 * The nine places are copied side by side first: with 512 channels they lie 4096 bytes apart, nine lines in one set of
 * the L1 cache, which holds eight.
 *
 * @param bytes of the weights of one place of the kernel.
 */
const transformPanel = wasmFunction({
  name: 'seven_panel',
  params: [source, panel, bytes],
  locals: [done, address, ...vectors(size, size), ...sharedLocals],
  body: [
    set(address, i32Add(panel, size * size * panelBytes)),
    countUp(done, 9 * placeBytes, placeBytes, [
      repeat(placeBytes / 16, (index) =>
        v128Store(at(address, index * 16), v128Load(at(source, index * 16))),
      ),
      increase(address, placeBytes),
      increase(source, bytes),
    ]),
    set(source, i32Add(panel, size * size * panelBytes)),
    countUp(done, placeBytes, 8, [
      vectors(3, 3).map((local, index) => set(local, v128Load8x8S(at(source, index * placeBytes)))),
      applyBoth([plainWeights, plainWeights], [3, 3], [size, size], (y, x, result) =>
        v128Store(at(panel, orderOf(y, x) * panelBytes), result),
      ),
      increase(source, 8),
      increase(panel, 16),
    ]),
  ],
});

const [left, times, again] = i32Locals('left', 'times', 'again');
const input = v128Local('input');
const weights = v128Locals('weights0', 'weights1');
const accumulator = (tile: number, half: number) => v128Local(`sums${tile}_${half}`);

/** A chunk's products of `times` times so many tiles, at `left` positions, added to M[slot][8] int32. */
function addProducts(count: number) {
  const each = <T>(make: (tile: number, half: 0 | 1) => T) =>
    range(count).flatMap((tile) => [make(tile, 0), make(tile, 1)]);
  const place = (tile: number, half: number) => at(products, tile * slotSumBytes + half * 16);
  const multiplyPair = (pair: number): Body => [
    weights.map((local, half) => set(local, v128Load(at(panel, pair * 32 + half * 16)))),
    repeat(count, (tile) => [
      set(input, v128Load32Splat(at(inputs, tile * slotBytes + pair * 4))),
      weights.map((local, half) =>
        set(accumulator(tile, half), i32x4Add(accumulator(tile, half), i32x4DotI16x8S(input, local))),
      ),
    ]),
  ];
  return wasmFunction({
    name: `seven_products_${count}`,
    params: [panel, inputs, products, left, times],
    locals: [again, input, ...weights, ...each(accumulator)],
    body: loop('position', (nextPosition) => [
      set(again, times),
      loop('run', (nextRun) => [
        each((tile, half) => set(accumulator(tile, half), v128Load(place(tile, half)))),
        repeat(chunkChannels / 2, multiplyPair),
        each((tile, half) => v128Store(place(tile, half), accumulator(tile, half))),
        increase(inputs, count * slotBytes),
        increase(products, count * slotSumBytes),
        branchIf(nextRun, tee(again, i32Sub(again, 1))),
      ]),
      increase(panel, panelBytes),
      branchIf(nextPosition, tee(left, i32Sub(left, 1))),
    ]),
  });
}

const [half, sums] = i32Locals('half', 'sums');

/** The products of one block's tile to sums of its pixels, bias not included: sums[7][7][8] int32. */
function transformOutput(tile: Tile, blocks: Blocks) {
  const { isShort } = tile;
  const places = isShort.map(placesOf);
  const [firstRow, firstColumn] = isShort.map((short) => (short ? 4 : 0)) as [number, number];
  // By 3 x 8 along the axes of tiles of 4, by 3 x 2 along the others.
  const shift = isShort.reduce((sum, short) => sum + (short ? 1 : 3), 0);
  const toSum = (scaled: V128) => i32x4ShrS(i32x4Mul(scaled, i32x4Splat(tilesOf4.inverse!)), shift);
  const [rows, columns] = sidesOf(tile);
  return wasmFunction({
    name: `seven_output_${nameOf(tile)}_${blocks}`,
    params: [products, sums],
    locals: [half, ...vectors(size, size), ...sharedLocals],
    body: countUp(half, 2, 1, [
      places[0]!.map((place, y) =>
        places[1]!.map((other, x) =>
          set(vector(y, x), v128Load(at(products, slotOf(tile, place, other) * blocks * slotSumBytes))),
        ),
      ),
      applyBoth(
        [variantOf(isShort[0]).output, variantOf(isShort[1]).output],
        [rows, columns],
        [rows - 2, columns - 2],
        (y, x, result) =>
          v128Store(at(sums, ((firstRow + y) * 7 + firstColumn + x) * slotSumBytes), toSum(result)),
      ),
      increase(products, 16),
      increase(sums, 16),
    ]),
  });
}

const [outputRow, output, residualRow, residual] = i32Locals(
  'outputRow',
  'output',
  'residualRow',
  'residual',
);
const [y, x] = i32Locals('y', 'x');

/** Sums of 8 channels of a block's pixels: finished, stored. */
const storeChannels = (activations: Activations, hasResidual: boolean) => {
  const sumsOfPixel: SumsOfPixel = [
    i32x4Add(v128Load(sums), biases[0]),
    i32x4Add(v128Load(at(sums, 16)), biases[1]),
  ];
  const first = (part: 'output' | 'residual') =>
    i32Add(
      i32Add(field(part), i32Mul(channel, activations.bytes)),
      i32Mul(i32Add(i32Mul(blockRow, field(`${part}StepY`)), i32Mul(blockColumn, field(`${part}StepX`))), 7),
    );
  return wasmFunction({
    name: hasResidual ? 'seven_sums' : 'seven_results',
    params: [descriptor, channel, sums, block],
    locals: [
      ...[y, x, outputRow, output, residualRow, residual, residualFirst],
      ...[...channelConstants, ...finishLocals],
    ],
    body: [
      hasResidual ? [loadSumConstants, set(residualFirst, field('residualFirst'))] : loadResultConstants,
      loadChannelConstants(channel),
      set(outputRow, first('output')),
      set(residualRow, first('residual')),
      countUp(y, 7, 1, [
        set(output, outputRow),
        set(residual, residualRow),
        countUp(x, 7, 1, [
          hasResidual
            ? storeSum(activations, sumsOfPixel, output, residual)
            : storeResult(activations, sumsOfPixel, output),
          increase(sums, slotSumBytes),
          increase(output, field('outputStepX')),
          increase(residual, field('residualStepX')),
        ]),
        increase(outputRow, field('outputStepY')),
        increase(residualRow, field('residualStepY')),
      ]),
    ],
  });
};

const firstWeights = i32Local('firstWeights');

/** Eight output channels, of all pixels: their products. */
const multiplyPanel = (blocks: Blocks, multiply: ReadonlyMap<number, ReturnType<typeof addProducts>>) => [
  countUp(done, blocks * slots * slotSumBytes, 16, v128Store(i32Add(products, done), i32x4Const(0))),
  set(source, firstWeights),
  set(inputs, field('transformed')),
  countUp(done, field('inputChannels'), chunkChannels, [
    transformPanel.call(source, panel, i32Shl(field('inputChannels'), 3)),
    increase(source, chunkChannels * panelChannels),
    set(address, panel),
    set(sums, products),
    runs.map(({ positions, tiles: count }) => [
      // Four blocks have four tiles or a multiple.
      blocks === 1
        ? multiply.get(count)!.call(address, inputs, sums, positions, 1)
        : multiply.get(4)!.call(address, inputs, sums, positions, count),
      increase(address, positions * panelBytes),
      increase(inputs, positions * count * blocks * slotBytes),
      increase(sums, positions * count * blocks * slotSumBytes),
    ]),
  ]),
  increase(firstWeights, i32Mul(field('inputChannels'), 9 * panelChannels)),
];

/** For input channels in a multiple of 32. */
export function winogradSeven(activations: Activations) {
  const multiply = new Map(runs.map(({ tiles: count }) => [count, addProducts(count)]));
  const [results, sumsStored] = [false, true].map((hasResidual) =>
    storeChannels(activations, hasResidual),
  ) as [ReturnType<typeof storeChannels>, ReturnType<typeof storeChannels>];
  const convolve = (blocks: Blocks) => {
    const transforms = tiles.map((tile) => transformInput(tile, blocks, activations));
    const outputs = tiles.map((tile) => transformOutput(tile, blocks));
    const storeBlock = [
      set(address, i32Add(products, i32Mul(block, slotSumBytes))),
      set(sums, i32Add(products, blocks * slots * slotSumBytes)),
      outputs.map((toSums) => toSums.call(address, sums)),
      when(
        field('residual'),
        sumsStored.call(descriptor, channel, sums, block),
        results.call(descriptor, channel, sums, block),
      ),
    ];
    const whole = wasmFunction({
      name: `convolve_winograd_${blocks === 1 ? 7 : 14}`,
      exported: true,
      params: [descriptor],
      locals: [channel, done, source, inputs, panel, products, address, sums, firstWeights, block],
      body: [
        countUp(
          block,
          blocks,
          1,
          transforms.map((transform) => transform.call(descriptor, block)),
        ),
        set(firstWeights, field('weights')),
        set(panel, field('panel')),
        set(products, field('products')),
        countUp(channel, field('channels'), panelChannels, [
          multiplyPanel(blocks, multiply),
          countUp(block, blocks, 1, storeBlock),
        ]),
      ],
    });
    return [...transforms, ...outputs, whole];
  };
  return [transformPanel, ...multiply.values(), results, sumsStored, ...convolve(1), ...convolve(4)];
}
