import { increase, repeat, set } from '../../../../lib/wasm-text/control.ts';
import { i32Locals, i64Local } from '../../../../lib/wasm-text/expression.ts';
import {
  i32Add,
  i32And,
  i32Popcnt,
  i32Shl,
  i32WrapI64,
  i64Add,
  i64Const,
  i64ExtendI32U,
  i64Or,
  i64Shl,
  i64ShrU,
  i64Sub,
} from '../../../../lib/wasm-text/integers.ts';
import { at, i64Load, i64Store, v128Load, v128Store } from '../../../../lib/wasm-text/memory.ts';
import {
  i8x16Add,
  i8x16Bitmask,
  i8x16Const,
  i8x16Eq,
  i8x16NarrowI16x8S,
  i8x16Splat,
} from '../../../../lib/wasm-text/vectors.ts';
import { coefficientsBytes } from '../wasm/layout.ts';
import { field } from './entropy.ts';
import { coefficients } from './progressive-scan.ts';
import { scanLocals } from './scan-locals.ts';

/* Where the zeros of a block are, for refinements of AC. */

const { block, spectralStart, spectralEnd } = scanLocals;
/** A bit for each coefficient of the block that is still zero. Later only those of the band are left. */
export const zeros = i64Local('zeros');
/** Addresses in the list of the band's zeros: the next one's, and the end's. */
export const [zero, zerosEnd] = i32Locals('zero', 'zerosEnd');
/** Address of `zeroLists`; flags of eight coefficients. */
const [lists, flags] = i32Locals('lists', 'flags');
export const zeroListLocals = [lists, flags, zero, zerosEnd, zeros];

/** Sets `zeros`: narrows two vectors of 16-bit numbers to one of bytes, in which a byte is zero if its number was. */
export const findZeros = [
  set(zeros, i64Const(0n)),
  repeat(coefficientsBytes / 32, (index) => {
    const load = (half: number) => v128Load(at(coefficients, index * 32 + half * 16));
    const isZero = i8x16Bitmask(i8x16Eq(i8x16NarrowI16x8S(load(0), load(1)), i8x16Const(0)));
    return set(zeros, i64Or(zeros, i64Shl(i64ExtendI32U(isZero), BigInt(index * 16))));
  }),
];

/** Bits `spectralStart` to `spectralEnd`. */
export const band = i64Sub(i64Shl(2n, i64ExtendI32U(spectralEnd)), i64Shl(1n, i64ExtendI32U(spectralStart)));

/** 0 to 15: a run skips no more zeros than that. */
const ascending = i8x16Const(Array.from({ length: 16 }, (_, index) => index));

/**
 * Writes the positions of the band's zeros to address `block`, one byte each, and then the positions behind the band, as
 * if it went on. An addition then skips a run of zeros. It handles eight coefficients at once; later writes overwrite
 * surplus bytes.
 */
export const listZeros = [
  set(lists, field('zeroLists')),
  set(zero, block),
  set(zerosEnd, block),
  repeat(8, (index) => [
    set(flags, i32And(i32WrapI64(i64ShrU(zeros, BigInt(index * 8))), 255)),
    i64Store(
      zerosEnd,
      i64Add(i64Load(i32Add(lists, i32Shl(flags, 3))), i64Const(BigInt(index * 8) * 0x0101010101010101n)),
    ),
    increase(zerosEnd, i32Popcnt(flags)),
  ]),
  v128Store(zerosEnd, i8x16Add(i8x16Splat(i32Add(spectralEnd, 1)), ascending)),
];
