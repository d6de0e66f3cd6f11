import { countUp, increase, repeat, set, setTogether } from '../../lib/wasm-text/control.ts';
import { type Body, i32Locals, type Local, type V128, v128Local } from '../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../lib/wasm-text/function.ts';
import { i32Add, i32Mul, i32Shl } from '../../lib/wasm-text/integers.ts';
import { v128Load, v128Load8x8S, v128Store } from '../../lib/wasm-text/memory.ts';
import { i32x4Mul, i32x4ShrS, i32x4Splat } from '../../lib/wasm-text/vectors.ts';
import { winogradSkew } from '../kernel-layout.ts';
import { positionsAlong } from '../winograd-tiles.ts';
import type { Activations } from './activations.ts';
import { descriptor, field, laneField } from './descriptor-fields.ts';
import { sharedLocals, type Transform, type WinogradVariant } from './winograd-variants.ts';

const range = (count: number) => Array.from({ length: count }, (_, index) => index);
export const vector = (y: number, x: number) => v128Local(`v${y}_${x}`);
export const vectors = (rows: number, columns: number) =>
  range(rows).flatMap((y) => range(columns).map((x) => vector(y, x)));

/** Where the next vectors are read, or a column of results begins; where the next result goes. */
export const [address, position] = i32Locals('address', 'position');
/** Bytes from a position to the next, and from a row of positions to the next. */
export const [plane, planeRow] = i32Locals('plane', 'planeRow');
/** First of the eight channels that are next; channels of the input. */
const [channel, inputChannels] = i32Locals('channel', 'inputChannels');

/** What tells the functions of the variants apart. */
export const nameOf = ({ side, stride }: WinogradVariant) => (stride === 1 ? `${side}` : `${side}_strided`);

/** One axis: results to the locals `targets`, which may be the very ones that are read. */
export function apply(
  transform: Transform,
  sources: readonly V128[],
  targets: readonly Local<'v128'>[],
): Body {
  const { shared = [], results } = transform(sources);
  return [shared.map((value, index) => set(sharedLocals[index]!, value)), setTogether(targets, results)];
}

/**
 * Both axes: `from` x `from` vectors to `to` x `to`, which are stored as `value` makes them: position
 * (y, x) at `address` + (`to` x y + x) x `plane`. A column is stored before the next is made.
 */
export function applyTwice(
  transform: Transform,
  [from, to]: readonly [number, number],
  value: (result: V128) => V128 = (result) => result,
): Body {
  const rows = repeat(from, (y) =>
    apply(
      transform,
      range(from).map((x) => vector(y, x)),
      range(to).map((x) => vector(y, x)),
    ),
  );
  const columns = repeat(to, (x) => {
    const results = range(to).map((y) => vector(y, x));
    const sources = range(from).map((y) => vector(y, x));
    return [
      set(position, address),
      apply(transform, sources, results),
      results.map((result) => [v128Store(position, value(result)), increase(position, planeRow)]),
      increase(address, plane),
    ];
  });
  return [rows, set(planeRow, i32Mul(plane, to)), columns];
}

const [firstRow, rows, tilesX] = i32Locals('firstRow', 'rows', 'tilesX');
/** Index of a tile. Addresses of its inputs and of its share of V. */
const [tileY, tileX, tileInput, transformed] = i32Locals('tileY', 'tileX', 'tileInput', 'transformed');
const [inputRowBytes, pixelBytes] = i32Locals('inputRowBytes', 'pixelBytes');
const zero = v128Local('zero');

/** Tiles of `rows` rows of tiles from `firstRow` on: inputs to V[position][tile][channel], int16. */
export function transformInput(winograd: WinogradVariant, activations: Activations) {
  const { side, stride, input } = winograd;
  const size = positionsAlong(winograd);
  const firstOfRow = (y: number) =>
    i32Add(i32Add(tileInput, i32Mul(channel, activations.bytes)), i32Mul(inputRowBytes, y));
  const rowOfTile = i32Mul(i32Mul(i32Add(firstRow, tileY), side * stride), inputRowBytes);
  const columnOfTile = i32Mul(i32Mul(tileX, side * stride), pixelBytes);
  const eightChannels = [
    repeat(size, (y) => [
      set(address, firstOfRow(y)),
      repeat(size, (x) => [
        set(vector(y, x), activations.loadCentred(address, zero)),
        increase(address, pixelBytes),
      ]),
    ]),
    set(address, i32Add(transformed, i32Shl(channel, 1))),
    applyTwice(input, [size, size]),
  ];
  return wasmFunction({
    name: `winograd_input_${nameOf(winograd)}`,
    params: [descriptor, firstRow, rows, tilesX],
    locals: [
      ...[tileY, tileX, channel, tileInput, transformed, address, position, plane, planeRow],
      ...[inputRowBytes, pixelBytes, inputChannels, zero],
      ...vectors(size, size),
      ...sharedLocals,
    ],
    body: [
      set(zero, laneField('inputZero')),
      set(inputChannels, field('inputChannels')),
      set(pixelBytes, i32Mul(inputChannels, activations.bytes)),
      set(plane, i32Add(i32Mul(i32Mul(rows, tilesX), i32Shl(inputChannels, 1)), winogradSkew)),
      set(inputRowBytes, field('inputRowBytes')),
      set(transformed, field('transformed')),
      countUp(
        tileY,
        rows,
        1,
        countUp(tileX, tilesX, 1, [
          set(tileInput, i32Add(field('input'), i32Add(rowOfTile, columnOfTile))),
          countUp(channel, inputChannels, 8, eightChannels),
          increase(transformed, i32Shl(inputChannels, 1)),
        ]),
      ),
    ],
  });
}

const [source, target, bytes, done] = i32Locals('source', 'target', 'bytes', 'done');

/**
 * One panel, as the file holds it: [3][3 x channels / 2][8][2] int8 to [position][channels / 2][8][2]
 * int16. Element for element: the order within a pair of channels is the same in both.
 */
export function transformPanel(winograd: WinogradVariant) {
  const { weights } = winograd;
  const size = positionsAlong(winograd);
  return wasmFunction({
    name: `winograd_panel_${nameOf(winograd)}`,
    params: [source, target, inputChannels],
    locals: [done, address, position, bytes, plane, planeRow, ...vectors(size, size), ...sharedLocals],
    body: [
      set(bytes, i32Shl(inputChannels, 3)),
      set(plane, i32Add(i32Shl(bytes, 1), winogradSkew)),
      countUp(done, bytes, 8, [
        set(address, i32Add(source, done)),
        vectors(3, 3).map((weight) => [set(weight, v128Load8x8S(address)), increase(address, bytes)]),
        set(address, i32Add(target, i32Shl(done, 1))),
        applyTwice(weights, [3, size]),
      ]),
    ],
  });
}

const [products, half] = i32Locals('products', 'half');

/**
 * One tile's products of 8 channels, M[position][tile][8] int32, to its sums, bias not included: output
 * (y, x) takes the place of position `side` x y + x.
 */
export function transformOutput(winograd: WinogradVariant) {
  const { side, output, shift, inverse } = winograd;
  const size = positionsAlong(winograd);
  const toSum = (scaled: V128) => i32x4ShrS(inverse ? i32x4Mul(scaled, i32x4Splat(inverse)) : scaled, shift);
  return wasmFunction({
    name: `winograd_output_${nameOf(winograd)}`,
    params: [products, plane],
    locals: [half, address, position, planeRow, ...vectors(size, size), ...sharedLocals],
    body: countUp(half, 2, 1, [
      set(address, products),
      vectors(size, size).map((product) => [set(product, v128Load(address)), increase(address, plane)]),
      set(address, products),
      applyTwice(output, [size, side], toSum),
      increase(products, 16),
    ]),
  });
}
