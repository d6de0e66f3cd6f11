import { branchIf, countUp, increase, loop, repeat, set, tee, when } from '../../lib/wasm-text/control.ts';
import { type Body, i32Local, i32Locals, v128Local, v128Locals } from '../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../lib/wasm-text/function.ts';
import { i32Add, i32Mul, i32Shl, i32Sub } from '../../lib/wasm-text/integers.ts';
import { at, v128Load, v128Load32Splat, v128Store } from '../../lib/wasm-text/memory.ts';
import { i32x4Add, i32x4Const, i32x4DotI16x8S } from '../../lib/wasm-text/vectors.ts';
import { panelChannels } from '../kernel-layout.ts';
import { sevenLayout } from '../winograd-tiles.ts';
import type { Activations } from './activations.ts';
import { descriptor, field } from './descriptor-fields.ts';
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
import { runs, tiles } from './winograd-seven-tiles.ts';
import {
  type Blocks,
  block,
  blockColumn,
  blockRow,
  panelBytes,
  range,
  slotBytes,
  slotSumBytes,
  transformInput,
  transformOutput,
  transformPanel,
} from './winograd-seven-transforms.ts';

/**
 * 3 x 3 convolutions of 7 x 7 outputs, where ResNets end. Seven rows are a tile of 4 and one of
 * 3, which has five of the six positions of the other along its side and reads the same transformed weights: 121
 * products for 441, where four tiles of 4 take 144. Each weight is used four times only, so that what its transform
 * costs counts: it is done for 32 input channels at a time, whose 36 panels stay in the L1 cache until they are used.
 *
 * An output of 14 x 14 is four blocks of 7 x 7. A slot is then one of each block, side by side.
 */

const { chunkChannels, slots } = sevenLayout;
const [address, channel, inputs, source, panel, products, done] = i32Locals(
  'address',
  'channel',
  'inputs',
  'source',
  'panel',
  'products',
  'done',
);

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

const sums = i32Local('sums');
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
