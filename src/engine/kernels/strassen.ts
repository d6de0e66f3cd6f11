import { branchIf, countUp, increase, loop, select, set, tee, when } from '../../lib/wasm-text/control.ts';
import {
  type Body,
  type I32,
  i32Local,
  i32Locals,
  type V128,
  v128Locals,
} from '../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../lib/wasm-text/function.ts';
import { i32Add, i32And, i32LtS, i32Mul, i32Shl, i32ShrU, i32Sub } from '../../lib/wasm-text/integers.ts';
import { at, i32Load, i32Store, v128Load, v128Load8x8S, v128Store } from '../../lib/wasm-text/memory.ts';
import { i16x8Add, i16x8Sub, i32x4Add, i32x4Sub } from '../../lib/wasm-text/vectors.ts';
import { panelChannels, pixelEntryBytes, pixelTable, winogradSkew } from '../kernel-layout.ts';
import { strassenPositions } from '../strassen-block.ts';
import type { Activations } from './activations.ts';
import { descriptor, field } from './descriptor-fields.ts';
import { beginTable, count, fillTable, pixelEntry, tableLocals } from './pixel-table.ts';
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
import {
  type MultiplyTiles,
  measureRuns,
  multiplyPositions,
  plane,
  productLocals,
  sumsBytes,
  tiles,
} from './winograd-products.ts';

/**
 * 1 x 1 convolutions as matrix products by one level of Strassen's algorithm, in Winograd's form: pixels, input
 * channels and output channels are halved, and seven products of halves take the place of eight. Pixels of a block
 * come in pairs, `tiles` of them; output channels in pairs of panels. Inputs become sums of at most four activations,
 * within 1,020; weights sums of at most four, within 512: int16. Sums of products are right modulo 2^32.
 *
 * @see https://en.wikipedia.org/wiki/Strassen_algorithm#Winograd_form
 */

const bytesOfHalf = i32Shl(field('inputChannels'), 1);
/** Address of a part's next vector, and bytes from a part to the next. */
const [address, step] = i32Locals('address', 'step');
/** First and second pixel of a pair: address of the inputs. */
const [firstInput, secondInput] = i32Locals('firstInput', 'secondInput');
const [pair, offset, transformed] = i32Locals('pair', 'offset', 'transformed');
const quarters = v128Locals('v11', 'v12', 'v21', 'v22');
const [v11, v12, v21, v22] = quarters;
const [e1, e2] = v128Locals('e1', 'e2');

const storeParts = (parts: readonly V128[]): Body =>
  parts.map((part) => [v128Store(address, part), increase(address, step)]);

/** Inputs of the pairs in the table to V[position][pair][half of the channels], int16. */
const transformInputs = wasmFunction({
  name: 'strassen_inputs',
  params: [descriptor, tiles],
  locals: [
    pixelEntry,
    pair,
    offset,
    transformed,
    address,
    step,
    firstInput,
    secondInput,
    ...quarters,
    e1,
    e2,
  ],
  body: [
    set(pixelEntry, field('pixels')),
    set(transformed, field('transformed')),
    set(step, i32Add(i32Mul(tiles, bytesOfHalf), winogradSkew)),
    countUp(pair, tiles, 1, [
      set(firstInput, i32Load(at(pixelEntry, pixelTable.input))),
      set(secondInput, i32Load(at(i32Add(pixelEntry, i32Mul(tiles, pixelEntryBytes)), pixelTable.input))),
      countUp(offset, bytesOfHalf, 16, [
        set(v11, v128Load(firstInput)),
        set(v12, v128Load(i32Add(firstInput, bytesOfHalf))),
        set(v21, v128Load(secondInput)),
        set(v22, v128Load(i32Add(secondInput, bytesOfHalf))),
        set(e1, i16x8Add(v21, v22)),
        set(e2, i16x8Sub(e1, v11)),
        set(address, i32Add(transformed, offset)),
        storeParts([v11, v12, i16x8Sub(v12, e2), v22, e1, e2, i16x8Sub(v11, v21)]),
        increase(firstInput, 16),
        increase(secondInput, 16),
      ]),
      increase(transformed, bytesOfHalf),
      increase(pixelEntry, pixelEntryBytes),
    ]),
  ],
});

const [source, bytes, panel] = i32Locals('source', 'bytes', 'panel');

/** Two panels as the file holds them, `bytes` a half of one, to U[position][half of the channels / 2][8][2] int16. */
const transformPanels = wasmFunction({
  name: 'strassen_panels',
  params: [source, panel, bytes],
  locals: [offset, address, step, ...quarters, e1, e2],
  body: [
    set(step, i32Add(i32Shl(bytes, 1), winogradSkew)),
    countUp(offset, bytes, 8, [
      // A panel is a column of halves, the next one the other column.
      [v11, v21, v12, v22].map((part, index) =>
        set(part, v128Load8x8S(i32Add(source, i32Mul(bytes, index)))),
      ),
      set(e1, i16x8Sub(v12, v11)),
      set(e2, i16x8Sub(v22, e1)),
      set(address, panel),
      storeParts([v11, v21, v22, i16x8Sub(e2, v21), e1, e2, i16x8Sub(v22, v12)]),
      increase(source, 8),
      increase(panel, 16),
    ]),
  ],
});

const [channel, channelOffset] = i32Locals('channel', 'channelOffset');
/** Sums of both pixels of a pair; what they have in common. */
const firstSums = v128Locals('first0', 'first1');
const secondSums = v128Locals('second0', 'second1');
const common = v128Locals('common0', 'common1');
const output = i32Local('output');

const storePixel = (activations: Activations, entry: I32, sums: SumsOfPixel, hasResidual: boolean) => {
  const place = (part: 'output' | 'residual') => i32Add(i32Load(at(entry, pixelTable[part])), channelOffset);
  return hasResidual
    ? [set(output, place('output')), storeSum(activations, sums, output, place('residual'))]
    : storeResult(activations, sums, place('output'));
};

/** The products of one pair, from `address` on in steps of `plane`, to the sums of 8 channels of the first or second panel. */
const addProducts = (isSecond: boolean) =>
  ([0, 1] as const).map((half) => {
    // P1 to P7 in Winograd's form.
    const product = (index: number) => v128Load(at(i32Add(address, i32Mul(plane, index - 1)), half * 16));
    const third = i32x4Add(common[half], product(7));
    return [
      set(firstSums[half], i32x4Add(product(1), biases[half])),
      set(common[half], i32x4Add(firstSums[half], product(6))),
      isSecond
        ? [
            set(secondSums[half], i32x4Add(third, product(5))),
            set(firstSums[half], i32x4Add(i32x4Add(common[half], product(5)), product(3))),
          ]
        : [
            set(secondSums[half], i32x4Sub(third, product(4))),
            set(firstSums[half], i32x4Add(firstSums[half], product(2))),
          ],
    ];
  });

/** Eight channels from `channel` on of all pixels of the block. */
const storeChannels = (activations: Activations, isSecond: boolean, hasResidual: boolean) =>
  wasmFunction({
    name: `strassen_${hasResidual ? 'sums' : 'results'}_${isSecond ? 2 : 1}`,
    params: [descriptor, channel, count, tiles, plane],
    locals: [
      ...[residualFirst, channelOffset, pixelEntry, pair, address, output],
      ...[...channelConstants, ...firstSums, ...secondSums, ...common, ...finishLocals],
    ],
    body: [
      hasResidual ? [loadSumConstants, set(residualFirst, field('residualFirst'))] : loadResultConstants,
      set(channelOffset, i32Mul(channel, activations.bytes)),
      loadChannelConstants(channel),
      set(address, field('products')),
      set(pixelEntry, field('pixels')),
      countUp(pair, tiles, 1, [
        addProducts(isSecond),
        storePixel(activations, pixelEntry, firstSums, hasResidual),
        when(
          i32LtS(i32Add(pair, tiles), count),
          storePixel(
            activations,
            i32Add(pixelEntry, i32Mul(tiles, pixelEntryBytes)),
            secondSums,
            hasResidual,
          ),
        ),
        increase(address, sumsBytes),
        increase(pixelEntry, pixelEntryBytes),
      ]),
    ],
  });

const [left, weights] = i32Locals('left', 'weights');

/** A pixel that has no other reads its own inputs twice. */
const completePairs = [
  set(tiles, i32ShrU(i32Add(count, 1), 1)),
  when(
    i32And(count, 1),
    i32Store(
      at(pixelEntry, pixelTable.input),
      i32Load(at(i32Sub(pixelEntry, pixelEntryBytes), pixelTable.input)),
    ),
  ),
];

/** For output channels in a multiple of 16, input channels of 32; blocks have an even number of pixels. */
export function strassen(activations: Activations, multiply: readonly MultiplyTiles[]) {
  const stores = [false, true].map((isSecond) => ({
    result: storeChannels(activations, isSecond, false),
    sum: storeChannels(activations, isSecond, true),
  }));
  const convolve = wasmFunction({
    name: 'convolve_strassen',
    exported: true,
    params: [descriptor],
    locals: [...productLocals, ...tableLocals, left, channel, weights],
    body: [
      beginTable,
      set(left, i32Mul(field('height'), field('width'))),
      loop('block', (nextBlock) => [
        set(count, select(field('tileRows'), left, i32LtS(field('tileRows'), left))),
        fillTable,
        completePairs,
        measureRuns,
        transformInputs.call(descriptor, tiles),
        set(weights, field('weights')),
        countUp(channel, field('channels'), panelChannels * 2, [
          transformPanels.call(weights, field('panel'), i32Shl(field('inputChannels'), 3)),
          increase(weights, i32Shl(field('inputChannels'), 5)),
          multiplyPositions(multiply, strassenPositions),
          stores.map(({ result, sum }, index) => {
            const operands = [
              descriptor,
              i32Add(channel, index * panelChannels),
              count,
              tiles,
              plane,
            ] as const;
            return when(field('residual'), sum.call(...operands), result.call(...operands));
          }),
        ]),
        branchIf(nextBlock, tee(left, i32Sub(left, count))),
      ]),
    ],
  });
  return [transformInputs, transformPanels, ...stores.flatMap(({ result, sum }) => [result, sum]), convolve];
}
