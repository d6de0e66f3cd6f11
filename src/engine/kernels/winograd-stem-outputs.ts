import { countUp, increase, repeat, select, set } from '../../lib/wasm-text/control.ts';
import { type I32, i32Locals, type Operand, type V128, v128Locals } from '../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../lib/wasm-text/function.ts';
import { i32Add, i32LtS, i32Mul, i32Shl, i32Sub } from '../../lib/wasm-text/integers.ts';
import { at, v128Load, v128Store64Lane } from '../../lib/wasm-text/memory.ts';
import {
  f32x4Add,
  f32x4ConvertI32x4S,
  f32x4Mul,
  i16x8MinS,
  i16x8NarrowI32x4S,
  i32x4Add,
  i32x4MaxS,
  i32x4Mul,
  i32x4ShrS,
  i32x4Splat,
  i32x4Sub,
} from '../../lib/wasm-text/vectors.ts';
import { stemLayout } from '../winograd-tiles.ts';
import { descriptor, field, laneField, splatField } from './descriptor-fields.ts';
import { address, apply, vector, vectors } from './winograd-transforms.ts';
import { kernelsOf4, sharedLocals, tilesOf4 } from './winograd-variants.ts';

// The last step of the stem (winograd-stem.ts): from products to pixels.

const { side, size, tileBytes } = stemLayout;

/** Tiles of a row, which of them it is, and where their outputs begin. */
export const [tile, tiles, firstX, firstY] = i32Locals('tile', 'tiles', 'firstX', 'firstY');
/** Where products are; what is left to do; the first of eight channels. */
export const [products, left, channel] = i32Locals('products', 'left', 'channel');
export const lesser = (a: Operand<'i32'>, b: Operand<'i32'>) => select(a, b, i32LtS(a, b));
/** The last tile may overlap the one before. */
export const startOf = (index: I32, axis: 'width' | 'height') =>
  lesser(i32Mul(index, side), i32Sub(field(axis), side));

const [constants, half, output, stepX, stepY] = i32Locals('constants', 'half', 'output', 'stepX', 'stepY');
const [bias, multiplier, magic, low, high, base, inverse] = v128Locals(
  'bias',
  'multiplier',
  'magic',
  'low',
  'high',
  'base',
  'inverse',
);

/** Four channels of a pixel, of sums without bias: as `storeResult` in requantize.ts. */
const storeHalf = (place: I32, scaledSums: V128) => {
  const total = i32x4Add(i32x4ShrS(i32x4Mul(scaledSums, inverse), tilesOf4.shift), bias);
  const rounded = i32x4MaxS(low, f32x4Add(f32x4Mul(f32x4ConvertI32x4S(total), multiplier), magic));
  const result = i32x4Sub(rounded, base);
  return v128Store64Lane(0, place, i16x8MinS(high, i16x8NarrowI32x4S(result, result)));
};

/** The products of one tile, four channels of them, to its nine pixels from `output` on. */
const storeTile = [
  repeat(size, (x) => {
    const column = Array.from({ length: size }, (_, y) => vector(y, x));
    return [
      column.map((local, y) => set(local, v128Load(at(products, (y * size + x) * 32)))),
      apply(kernelsOf4.output, column, column.slice(0, side)),
    ];
  }),
  repeat(side, (y) => {
    const row = Array.from({ length: size }, (_, x) => vector(y, x));
    return [
      set(address, output),
      apply(kernelsOf4.output, row, row.slice(0, side)),
      row.slice(0, side).map((local) => [storeHalf(address, local), increase(address, stepX)]),
      increase(output, stepY),
    ];
  }),
];

/** `tiles` tiles from `tile` on, in the row of tiles at `firstY`: eight channels from `channel` on. */
export const storeTiles = wasmFunction({
  name: 'stem_outputs',
  params: [descriptor, firstY, tile, tiles, channel],
  locals: [
    ...[half, constants, products, output, stepX, stepY, address, left, firstX],
    ...[bias, multiplier, magic, low, high, base, inverse],
    ...vectors(size, size),
    ...sharedLocals,
  ],
  body: [
    set(stepX, field('outputStepX')),
    set(stepY, field('outputStepY')),
    set(magic, splatField('magic')),
    set(low, splatField('low')),
    set(high, laneField('resultHigh')),
    set(base, splatField('resultBase')),
    set(inverse, i32x4Splat(tilesOf4.inverse!)),
    countUp(half, 2, 1, [
      set(constants, i32Add(i32Shl(channel, 2), i32Shl(half, 4))),
      set(bias, v128Load(i32Add(field('bias'), constants))),
      set(multiplier, v128Load(i32Add(field('multiplier'), constants))),
      set(products, i32Add(field('products'), i32Shl(half, 4))),
      countUp(left, tiles, 1, [
        set(firstX, startOf(i32Add(tile, left), 'width')),
        set(output, i32Add(field('output'), i32Add(i32Shl(channel, 1), i32Shl(half, 3)))),
        increase(output, i32Add(i32Mul(firstY, stepY), i32Mul(firstX, stepX))),
        storeTile,
        increase(products, tileBytes),
      ]),
    ]),
  ],
});
