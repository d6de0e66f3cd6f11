import { select, set, when } from '../../../../../lib/wasm-text/control.ts';
import { type Body, type I32, i32Locals, i64Locals } from '../../../../../lib/wasm-text/expression.ts';
import {
  i32Add,
  i32Clz,
  i32LeU,
  i32LtS,
  i32LtU,
  i32Mul,
  i32Shl,
  i32ShrU,
  i32Sub,
  i64ExtendI32U,
  i64GeU,
  i64Mul,
  i64Or,
  i64Shl,
  i64ShrU,
  i64Sub,
} from '../../../../../lib/wasm-text/integers.ts';
import {
  at,
  i32Load,
  i32Load8U,
  i32Store,
  i64Load,
  i64Store,
  v128Load64Zero,
} from '../../../../../lib/wasm-text/memory.ts';
import { i8x16Shuffle, i64x2ExtractLane } from '../../../../../lib/wasm-text/vectors.ts';
import { boolLayout } from '../wasm/layout.ts';

/* `BoolDecoder` of bool-decoder.ts, its state in locals while a function runs. */

const [value, bigSplit] = i64Locals('value', 'big_split');
const [count, range, position, end, exhausted, split, shift] = i32Locals(
  'bits',
  'range',
  'next_byte',
  'end_byte',
  'exhausted',
  'split',
  'shift',
);
export const bit = i32Locals('bit')[0];
export const boolLocals = [value, bigSplit, count, range, position, end, exhausted, split, shift, bit];

export const loadBools = (state: I32) => [
  set(value, i64Load(at(state, boolLayout.value))),
  set(count, i32Load(at(state, boolLayout.count))),
  set(range, i32Load(at(state, boolLayout.range))),
  set(position, i32Load(at(state, boolLayout.position))),
  set(end, i32Load(at(state, boolLayout.end))),
  set(exhausted, i32Load(at(state, boolLayout.exhausted))),
];

export const storeBools = (state: I32) => [
  i64Store(at(state, boolLayout.value), value),
  i32Store(at(state, boolLayout.count), count),
  i32Store(at(state, boolLayout.range), range),
  i32Store(at(state, boolLayout.position), position),
  i32Store(at(state, boolLayout.exhausted), exhausted),
];

const reversed = Array.from({ length: 16 }, (_, i) => (i < 8 ? 7 - i : i));
const bytesAhead = i64x2ExtractLane(
  0,
  i8x16Shuffle(reversed, v128Load64Zero(position), v128Load64Zero(position)),
);
const fetched = 7;

/** Where less than 8 bits are at hand: seven bytes, or one at the end, or a zero behind it. */
const refill = when(i32LtS(count, 0), [
  when(
    i32LeU(i32Add(position, fetched), end),
    [
      set(value, i64Or(value, i64ShrU(i64Shl(i64ShrU(bytesAhead, 8n), 8n), i64ExtendI32U(i32Add(count, 8))))),
      set(position, i32Add(position, fetched)),
      set(count, i32Add(count, 8 * fetched)),
    ],
    [
      when(
        i32LtU(position, end),
        set(
          value,
          i64Or(value, i64Shl(i64ExtendI32U(i32Load8U(position)), i64ExtendI32U(i32Sub(48, count)))),
        ),
        set(exhausted, 1),
      ),
      set(position, i32Add(position, 1)),
      set(count, i32Add(count, 8)),
    ],
  ),
]);

const divide = (probability: I32 | number) => [
  refill,
  set(split, i32Add(1, i32ShrU(i32Mul(i32Sub(range, 1), probability), 8))),
  set(bigSplit, i64Shl(i64ExtendI32U(split), 56n)),
];

const normalize = [
  set(shift, i32Sub(i32Clz(range), 24)),
  set(range, i32Shl(range, shift)),
  set(value, i64Shl(value, i64ExtendI32U(shift))),
  set(count, i32Sub(count, shift)),
];

/** Reads a bit and goes on with `one` or `zero`. */
export const branchOnBit = (probability: I32 | number, one: Body, zero: Body): Body => [
  divide(probability),
  when(
    i64GeU(value, bigSplit),
    [set(value, i64Sub(value, bigSplit)), set(range, i32Sub(range, split)), normalize, one],
    [set(range, split), normalize, zero],
  ),
];

/** Reads a bit that nothing foretells into `bit`. */
export const readBit = (probability: I32 | number): Body => [
  divide(probability),
  set(bit, i64GeU(value, bigSplit)),
  set(value, i64Sub(value, i64Mul(bigSplit, i64ExtendI32U(bit)))),
  set(range, select(i32Sub(range, split), split, bit)),
  normalize,
];
