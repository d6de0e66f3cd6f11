import { increase, select, set, when } from '../../../../lib/wasm-text/control.ts';
import { type Body, i32Locals, type Statement } from '../../../../lib/wasm-text/expression.ts';
import {
  i32Add,
  i32Eq,
  i32GtS,
  i32LtS,
  i32Mul,
  i32Shl,
  i32ShrS,
  i64ExtendI32U,
  i64Mul,
} from '../../../../lib/wasm-text/integers.ts';
import { i32Store, i32Store8, i32Store16, i64Store } from '../../../../lib/wasm-text/memory.ts';
import { flatHalf, flatShift, pass1Bits } from '../idct-islow.ts';
import { idctIslow } from './idct-islow.ts';
import { idct2, idct4 } from './idct-mean.ts';
import { scanLocals, value } from './scan-locals.ts';

const { block } = scanLocals;
/** A block's DC; address `out` of its `side` x `side` samples, whose rows are `stride` apart. */
export const [dc, out, side, stride] = i32Locals('dc', 'out', 'side', 'stride');

/** By the samples in a row: writes `value` to each byte of the row. */
const writeRow: Readonly<Record<1 | 2 | 4 | 8, Statement>> = {
  1: i32Store8(out, i32Mul(value, 0x01010101)),
  2: i32Store16(out, i32Mul(value, 0x01010101)),
  4: i32Store(out, i32Mul(value, 0x01010101)),
  8: i64Store(out, i64Mul(i64ExtendI32U(value), 0x0101010101010101n)),
};

const fill = (rows: 1 | 2 | 4 | 8) =>
  Array.from({ length: rows }, (_, index) => [writeRow[rows], index < rows - 1 ? increase(out, stride) : []]);

/** Runs the body for the component's side. */
const bySide = (bodies: Readonly<Record<1 | 2 | 4 | 8, Body>>) =>
  when(
    i32Eq(side, 8),
    bodies[8],
    when(i32Eq(side, 2), bodies[2], when(i32Eq(side, 4), bodies[4], bodies[1])),
  );

/** `fillFlat` of src/image/codecs/jpeg/idct-islow.ts: one value for all samples of a block. */
export const writeFlat = [
  set(value, i32ShrS(i32Shl(dc, 16 + pass1Bits), 16)),
  set(value, i32Add(i32ShrS(i32Add(value, flatHalf), flatShift), 128)),
  set(value, select(0, value, i32LtS(value, 0))),
  set(value, select(255, value, i32GtS(value, 255))),
  bySide({ 1: fill(1), 2: fill(2), 4: fill(4), 8: fill(8) }),
];

/** Runs the IDCT on `block`; zeroes the coefficients it reads. */
export const transform = [
  i32Store16(block, dc),
  bySide({
    // A block that becomes one sample has no AC coefficient.
    1: [],
    2: idct2.call(block, out, stride),
    4: idct4.call(block, out, stride),
    8: idctIslow.call(block, out, stride),
  }),
];
