import { increase, repeat, set } from '../../../../lib/wasm-text/control.ts';
import { i32Locals, type V128, v128Locals } from '../../../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../../../lib/wasm-text/function.ts';
import { at, v128Load, v128Store, v128Store64Lane } from '../../../../lib/wasm-text/memory.ts';
import {
  i8x16NarrowI16x8U,
  i8x16Shuffle,
  i16x8NarrowI32x4S,
  i32x4Add,
  i32x4Const,
  i32x4Mul,
  i32x4Shl,
  i32x4ShrS,
  i32x4Sub,
  shuffleLanes32,
} from '../../../../lib/wasm-text/vectors.ts';
import {
  constBits,
  fix0298631336,
  fix0390180644,
  fix0541196100,
  fix0765366865,
  fix0899976223,
  fix1175875602,
  fix1501321110,
  fix1847759065,
  fix1961570560,
  fix2053119869,
  fix2562915447,
  fix3072711026,
  pass1Half,
  pass1Shift,
  pass2Bias,
  pass2Shift,
} from '../idct-islow.ts';

const [block, workspace, out, stride] = i32Locals('block', 'workspace', 'out', 'stride');
/** Inputs, then outputs of a pass over four columns or four rows at once. */
const d = v128Locals('d0', 'd1', 'd2', 'd3', 'd4', 'd5', 'd6', 'd7');
const [d0, d1, d2, d3, d4, d5, d6, d7] = d;
const z = v128Locals('z1', 'z2', 'z3', 'z4');
const [z1, z2, z3, z4] = z;
const even = v128Locals('even0', 'even1', 'even2', 'even3');
const [even0, even1, even2, even3] = even;
const sum = v128Locals('sum0', 'sum1', 'sum2', 'sum3');
const [sum0, sum1, sum2, sum3] = sum;
const odd = v128Locals('odd0', 'odd1', 'odd2', 'odd3');
const [odd0, odd1, odd2, odd3] = odd;

const times = (a: V128, factor: number) => i32x4Mul(a, i32x4Const(factor));

/** Even part of `d0` to `d7` into `sum0` to `sum3`. */
const evenPart = (bias: number) => {
  const centre = (value: V128) => i32x4Add(i32x4Shl(value, constBits), i32x4Const(bias));
  return [
    set(z1, times(i32x4Add(d2, d6), fix0541196100)),
    set(even2, i32x4Sub(z1, times(d6, fix1847759065))),
    set(even3, i32x4Add(z1, times(d2, fix0765366865))),
    set(even0, centre(i32x4Add(d0, d4))),
    set(even1, centre(i32x4Sub(d0, d4))),
    set(sum0, i32x4Add(even0, even3)),
    set(sum3, i32x4Sub(even0, even3)),
    set(sum1, i32x4Add(even1, even2)),
    set(sum2, i32x4Sub(even1, even2)),
  ];
};

/** Odd part into `odd0` to `odd3`. */
const oddPart = [
  set(z3, i32x4Add(d7, d3)),
  set(z4, i32x4Add(d5, d1)),
  set(z1, times(i32x4Add(z3, z4), fix1175875602)),
  set(z3, i32x4Sub(z1, times(z3, fix1961570560))),
  set(z4, i32x4Sub(z1, times(z4, fix0390180644))),
  set(z1, times(i32x4Add(d7, d1), fix0899976223)),
  set(z2, times(i32x4Add(d5, d3), fix2562915447)),
  set(odd0, i32x4Add(i32x4Sub(times(d7, fix0298631336), z1), z3)),
  set(odd1, i32x4Add(i32x4Sub(times(d5, fix2053119869), z2), z4)),
  set(odd2, i32x4Add(i32x4Sub(times(d3, fix3072711026), z2), z3)),
  set(odd3, i32x4Add(i32x4Sub(times(d1, fix1501321110), z1), z4)),
];

/** One pass over `d0` to `d7`, in place. */
const pass = (bias: number, shift: number) => {
  const outputs = (first: typeof d0, last: typeof d7, evenSum: V128, oddSum: V128) => [
    set(first, i32x4ShrS(i32x4Add(evenSum, oddSum), shift)),
    set(last, i32x4ShrS(i32x4Sub(evenSum, oddSum), shift)),
  ];
  return [
    evenPart(bias),
    oddPart,
    outputs(d0, d7, sum0, odd3),
    outputs(d1, d6, sum1, odd2),
    outputs(d2, d5, sum2, odd1),
    outputs(d3, d4, sum3, odd0),
  ];
};

/** Stores four vectors as columns, 16 bytes apart. */
const storeTransposed = ([a, b, c, e]: readonly [V128, V128, V128, V128], offset: number) => {
  const store = (column: number, value: V128) => v128Store(at(workspace, offset + column * 16), value);
  return [
    set(z1, shuffleLanes32([0, 4, 1, 5], a, b)),
    set(z2, shuffleLanes32([0, 4, 1, 5], c, e)),
    store(0, shuffleLanes32([0, 1, 4, 5], z1, z2)),
    store(1, shuffleLanes32([2, 3, 6, 7], z1, z2)),
    set(z1, shuffleLanes32([2, 6, 3, 7], a, b)),
    set(z2, shuffleLanes32([2, 6, 3, 7], c, e)),
    store(2, shuffleLanes32([0, 1, 4, 5], z1, z2)),
    store(3, shuffleLanes32([2, 3, 6, 7], z1, z2)),
  ];
};

/** Four vectors of four numbers to bytes, clamped to 0 to 255. */
const narrow = (a: V128, b: V128, c: V128, e: V128) =>
  i8x16NarrowI16x8U(i16x8NarrowI32x4S(a, b), i16x8NarrowI32x4S(c, e));

/** Four rows of eight samples. `d0` to `d7` hold the columns. */
const storeSamples = () => {
  const bytesOf = (row: number) => [0, 4, 8, 12, 16, 20, 24, 28].map((column) => column + row);
  const storeTwoRows = (row: number) => [
    set(z3, i8x16Shuffle([...bytesOf(row), ...bytesOf(row + 1)], z1, z2)),
    v128Store64Lane(0, out, z3),
    increase(out, stride),
    v128Store64Lane(1, out, z3),
    increase(out, stride),
  ];
  return [set(z1, narrow(d0, d1, d2, d3)), set(z2, narrow(d4, d5, d6, d7)), storeTwoRows(0), storeTwoRows(2)];
};

/** Bytes of half a block. */
const half = 32 * 4;

/**
 * An 8 x 8 block of 64 i32 coefficients to samples, and the block to zeros: src/image/codecs/jpeg/idct-islow.ts on
 * four columns, then four rows at once. All sums are modulo 2^32, as there.
 *
 * @see libjpeg jidctint.c, `jpeg_idct_islow`
 */
export const idctIslow = wasmFunction({
  name: 'idct_islow',
  exported: true,
  params: [block, workspace, out, stride],
  locals: [...d, ...z, ...even, ...sum, ...odd],
  body: [
    [0, 1].map((side) => [
      d.map((vector, row) => set(vector, v128Load(at(block, row * 32 + side * 16)))),
      pass(pass1Half, pass1Shift),
      storeTransposed([d0, d1, d2, d3], side * 64),
      storeTransposed([d4, d5, d6, d7], half + side * 64),
    ]),
    repeat(16, (index) => v128Store(at(block, index * 16), i32x4Const(0))),
    [0, 1].map((rows) => [
      d.map((vector, column) => set(vector, v128Load(at(workspace, rows * half + column * 16)))),
      pass(pass2Bias, pass2Shift),
      storeSamples(),
    ]),
  ],
});
