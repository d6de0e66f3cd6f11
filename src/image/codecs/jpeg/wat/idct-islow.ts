import { increase, repeat, set, when } from '../../../../lib/wasm-text/control.ts';
import { i32Locals, type Local, type V128, v128Locals } from '../../../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../../../lib/wasm-text/function.ts';
import { at, v128Load, v128Store, v128Store64Lane } from '../../../../lib/wasm-text/memory.ts';
import {
  i8x16Const,
  i8x16NarrowI16x8S,
  i8x16Shuffle,
  i16x8Add,
  i16x8Const,
  i16x8NarrowI32x4S,
  i16x8Shl,
  i16x8Sub,
  i32x4Add,
  i32x4Const,
  i32x4DotI16x8S,
  i32x4ExtendHighI16x8S,
  i32x4ExtendLowI16x8S,
  i32x4Shl,
  i32x4ShrS,
  i32x4Sub,
  v128AnyTrue,
  v128Or,
  v128Xor,
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
  pass1Bits,
  pass1Shift,
  pass2Shift,
} from '../idct-islow.ts';

type Vector = Local<'v128'>;

const [block, out, stride] = i32Locals('block', 'out', 'stride');
/** Inputs and then outputs of a pass over eight columns, or eight rows, at once: 16 bits each. */
const d = v128Locals('d0', 'd1', 'd2', 'd3', 'd4', 'd5', 'd6', 'd7');
const [d0, d1, d2, d3, d4, d5, d6, d7] = d;
const scratch = v128Locals('s0', 's1', 's2', 's3', 's4', 's5', 's6', 's7');
/** Pairs of inputs, interleaved, of the lower or the upper four columns. */
const pair = v128Locals('d26', 'z34', 'd71', 'd53');
const [d26, z34, d71, d53] = pair;
const [sum04, difference04, z3, z4] = v128Locals('sum04', 'difference04', 'z3', 'z4');
/** Sums of 32 bits, of the lower four columns and of the upper four. */
const halves = [toHalf('Low'), toHalf('High')] as const;

function toHalf(name: 'Low' | 'High') {
  const even = v128Locals(`even0${name}`, `even1${name}`, `even2${name}`, `even3${name}`);
  const odd = v128Locals(`odd0${name}`, `odd1${name}`, `odd2${name}`, `odd3${name}`);
  return { isLow: name === 'Low', even, odd };
}

/** Interleaves lanes of `bytes` bytes of `a` and `b`: of their lower halves, or of their upper ones. */
const interleave = (bytes: 1 | 2 | 4 | 8, isLow: boolean, a: V128, b: V128) => {
  const lanes = Array.from({ length: 8 / bytes }, (_, lane) => (isLow ? 0 : 8) + lane * bytes);
  const bytesFrom = (start: number) => Array.from({ length: bytes }, (_, byte) => start + byte);
  return i8x16Shuffle(
    lanes.flatMap((lane) => [...bytesFrom(lane), ...bytesFrom(16 + lane)]),
    a,
    b,
  );
};

/** `a` x `weightA` + `b` x `weightB` in 32 bits; `pairs` has `a` and `b` interleaved. */
const weigh = (pairs: V128, weightA: number, weightB: number) =>
  i32x4DotI16x8S(pairs, i16x8Const([0, 1, 2, 3].flatMap(() => [weightA, weightB])));

/** Even part of `d0` to `d7`, plus `half` for rounding. */
const evenPart = ({ isLow, even }: (typeof halves)[number], half: number) => {
  const [even0, even1, even2, even3] = even;
  const extend = isLow ? i32x4ExtendLowI16x8S : i32x4ExtendHighI16x8S;
  const centre = (value: V128) => i32x4Add(i32x4Shl(extend(value), constBits), i32x4Const(half));
  return [
    set(d26, interleave(2, isLow, d2, d6)),
    set(even3, weigh(d26, fix0541196100 + fix0765366865, fix0541196100)),
    set(even2, weigh(d26, fix0541196100, fix0541196100 - fix1847759065)),
    set(z3, centre(sum04)),
    set(z4, centre(difference04)),
    set(even0, i32x4Add(z3, even3)),
    set(even3, i32x4Sub(z3, even3)),
    set(even1, i32x4Add(z4, even2)),
    set(even2, i32x4Sub(z4, even2)),
  ];
};

const oddPart = ({ isLow, odd }: (typeof halves)[number]) => {
  const [odd0, odd1, odd2, odd3] = odd;
  return [
    set(d71, interleave(2, isLow, d7, d1)),
    set(d53, interleave(2, isLow, d5, d3)),
    set(odd0, weigh(d71, fix0298631336 - fix0899976223, -fix0899976223)),
    set(odd3, weigh(d71, -fix0899976223, fix1501321110 - fix0899976223)),
    set(odd1, weigh(d53, fix2053119869 - fix2562915447, -fix2562915447)),
    set(odd2, weigh(d53, -fix2562915447, fix3072711026 - fix2562915447)),
    set(z34, interleave(2, isLow, scratch[0], scratch[1])),
    set(z3, weigh(z34, fix1175875602 - fix1961570560, fix1175875602)),
    set(z4, weigh(z34, fix1175875602, fix1175875602 - fix0390180644)),
    set(odd0, i32x4Add(odd0, z3)),
    set(odd2, i32x4Add(odd2, z3)),
    set(odd1, i32x4Add(odd1, z4)),
    set(odd3, i32x4Add(odd3, z4)),
  ];
};

/** One pass over `d0` to `d7`, in place. Sums of two inputs are modulo 2^16, results saturate. */
const pass = (shift: number) => {
  const [low, high] = halves;
  const output = (to: Vector, combine: typeof i32x4Add, evenIndex: number, oddIndex: number) => {
    const [fromLow, fromHigh] = [low, high].map(({ even, odd }) =>
      i32x4ShrS(combine(even[evenIndex]!, odd[oddIndex]!), shift),
    ) as [V128, V128];
    return set(to, i16x8NarrowI32x4S(fromLow, fromHigh));
  };
  return [
    set(sum04, i16x8Add(d0, d4)),
    set(difference04, i16x8Sub(d0, d4)),
    halves.map((half) => evenPart(half, 1 << (shift - 1))),
    set(scratch[0], i16x8Add(d7, d3)),
    set(scratch[1], i16x8Add(d5, d1)),
    halves.map(oddPart),
    [d0, d1, d2, d3].map((to, index) => output(to, i32x4Add, index, 3 - index)),
    [d7, d6, d5, d4].map((to, index) => output(to, i32x4Sub, index, 3 - index)),
  ];
};

/** Interleaves pairs of vectors into others: a step of a transposition. */
const interleaveAll = (bytes: 2 | 4 | 8, from: readonly Vector[], distance: number, to: readonly Vector[]) =>
  from
    .filter((_, index) => (index & distance) === 0)
    .flatMap((a, index) => {
      const b = from[from.indexOf(a) + distance]!;
      return [true, false].map((isLow, half) => set(to[index * 2 + half]!, interleave(bytes, isLow, a, b)));
    });

/** Rows to columns, or back. */
const transpose = [
  interleaveAll(2, d, 1, scratch),
  // Pairs of rows are interleaved now: columns 0 to 3, then 4 to 7.
  interleaveAll(4, scratch, 2, d),
  interleaveAll(8, d, 4, scratch),
  [d0, d1, d2, d3, d4, d5, d6, d7].map((to, index) => set(to, scratch[index]!)),
];

/** Eight rows of eight samples. `d0` to `d7` hold the columns. */
const storeSamples = () => {
  const [s0, s1, s2, s3, s4, s5, s6, s7] = scratch;
  const narrow = (to: Vector, a: V128, b: V128) => set(to, i8x16NarrowI16x8S(a, b));
  /** Stores two rows. Its inputs are 128 too small and saturated to -128 to 127. */
  const storeTwoRows = (rows: V128) => [
    set(z3, v128Xor(rows, i8x16Const(0x80))),
    v128Store64Lane(0, out, z3),
    increase(out, stride),
    v128Store64Lane(1, out, z3),
    increase(out, stride),
  ];
  return [
    [narrow(s0, d0, d4), narrow(s1, d1, d5), narrow(s2, d2, d6), narrow(s3, d3, d7)],
    [set(s4, interleave(1, true, s0, s1)), set(s5, interleave(1, false, s0, s1))],
    [set(s6, interleave(1, true, s2, s3)), set(s7, interleave(1, false, s2, s3))],
    [set(s0, interleave(2, true, s4, s6)), set(s1, interleave(2, false, s4, s6))],
    [set(s2, interleave(2, true, s5, s7)), set(s3, interleave(2, false, s5, s7))],
    [interleave(4, true, s0, s2), interleave(4, false, s0, s2)].map(storeTwoRows),
    [interleave(4, true, s1, s3), interleave(4, false, s1, s3)].map(storeTwoRows),
  ];
};

const [, ...lowerRows] = d;

/**
 * Turns an 8 x 8 block of 64 i16 coefficients into samples, and zeroes the block: src/image/codecs/jpeg/idct-islow.ts on
 * eight columns, then on eight rows, at once.
 *
 * @see libjpeg-turbo simd/x86_64/jidctint-avx2.asm, which multiplies the same pairs
 */
export const idctIslow = wasmFunction({
  name: 'idct_islow',
  exported: true,
  hoistsConstants: true,
  params: [block, out, stride],
  locals: [
    ...d,
    ...scratch,
    ...pair,
    sum04,
    difference04,
    z3,
    z4,
    ...halves.flatMap(({ even, odd }) => [...even, ...odd]),
  ],
  body: [
    d.map((vector, row) => set(vector, v128Load(at(block, row * 16)))),
    repeat(8, (row) => v128Store(at(block, row * 16), i32x4Const(0))),
    when(
      v128AnyTrue(lowerRows.reduce<V128>((all, row) => v128Or(all, row), lowerRows[0])),
      [pass(pass1Shift)],
      // Without vertical frequencies all rows are alike.
      [set(d0, i16x8Shl(d0, pass1Bits)), lowerRows.map((row) => set(row, d0))],
    ),
    transpose,
    pass(pass2Shift),
    storeSamples(),
  ],
});
