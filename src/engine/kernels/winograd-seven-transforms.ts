import { countUp, increase, repeat, set } from '../../lib/wasm-text/control.ts';
import { type Body, i32Local, i32Locals, type V128, v128Local } from '../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../lib/wasm-text/function.ts';
import { i32Add, i32And, i32Mul, i32Shl, i32ShrU } from '../../lib/wasm-text/integers.ts';
import { at, v128Load, v128Load8x8S, v128Store } from '../../lib/wasm-text/memory.ts';
import { i32x4Mul, i32x4ShrS, i32x4Splat } from '../../lib/wasm-text/vectors.ts';
import { panelChannels, winogradSkew } from '../kernel-layout.ts';
import { sevenLayout } from '../winograd-tiles.ts';
import type { Activations } from './activations.ts';
import { descriptor, field, laneField } from './descriptor-fields.ts';
import { orderOf, placesOf, size, slotOf, type Tile } from './winograd-seven-tiles.ts';
import { apply, vector, vectors } from './winograd-transforms.ts';
import {
  plainTilesOf3,
  plainTilesOf4,
  plainWeights,
  sharedLocals,
  type Transform,
  tilesOf4,
} from './winograd-variants.ts';

/** Transforms of 7 x 7 outputs: see winograd-seven.ts. */

export type Blocks = 1 | 4;
/** Index of a block; its first row and column are 7 x these. */
export const block = i32Local('block');
export const blockRow = i32ShrU(block, 1);
export const blockColumn = i32And(block, 1);

const { chunkChannels, slots } = sevenLayout;
/** Bytes of a slot's inputs, of a position's weights, of a slot's sums. */
export const slotBytes = chunkChannels * 2;
export const panelBytes = chunkChannels * panelChannels * 2 + winogradSkew;
export const slotSumBytes = panelChannels * 4;

export const range = (count: number) => Array.from({ length: count }, (_, index) => index);
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
export function transformInput(tile: Tile, blocks: Blocks, activations: Activations) {
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
export const transformPanel = wasmFunction({
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

const [half, sums] = i32Locals('half', 'sums');

/** The products of one block's tile to sums of its pixels, bias not included: sums[7][7][8] int32. */
export function transformOutput(tile: Tile, blocks: Blocks) {
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
