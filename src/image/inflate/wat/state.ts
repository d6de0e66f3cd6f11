import { set } from '../../../lib/wasm-text/control.ts';
import { type I32, i32Local, i32Locals, i64Local, type Operand } from '../../../lib/wasm-text/expression.ts';
import {
  i32Add,
  i32And,
  i32GtS,
  i32Or,
  i32Shl,
  i32ShrU,
  i32Sub,
  i32WrapI64,
  i64ExtendI32U,
  i64Or,
  i64Shl,
  i64ShrU,
} from '../../../lib/wasm-text/integers.ts';
import { at, i32Load, i32Store, i64Load, i64Store } from '../../../lib/wasm-text/memory.ts';
import { regions as places, type regions, stateLayout } from '../layout.ts';

/** Address of what ../layout.ts places. */
export const state = i32Local('state');

/**
 * Bits at hand. In a routine the next one is at `bitShift`, so that the next bits are the offset of an entry of 4 bytes;
 * those below are of no meaning. `count` counts these too; only its low 8 bits count.
 */
export const bits = i64Local('bits');
export const [count, position, inputEnd] = i32Locals('count', 'position', 'inputEnd');
/** Of a routine. */
export const status = i32Local('status');

type Field = keyof typeof stateLayout;
export const field = (name: Field) => i32Load(at(state, stateLayout[name]));
export const setField = (name: Field, value: Operand<'i32'>) => i32Store(at(state, stateLayout[name]), value);
export const region = (name: keyof typeof regions) => i32Add(state, places[name]);

const bitShift = 2;
const bitsLeft = i32Sub(i32And(count, 255), bitShift);
export const enter = [
  set(bits, i64Shl(i64Load(at(state, stateLayout.bits)), BigInt(bitShift))),
  set(count, i32Add(field('count'), bitShift)),
  set(position, field('position')),
  set(inputEnd, field('inputEnd')),
];
export const leave = [
  i64Store(at(state, stateLayout.bits), i64ShrU(bits, BigInt(bitShift))),
  setField('count', bitsLeft),
  setField('position', position),
];

const fetchedCount = 56;
/** Bits that are at hand after `fetch`, at least. */
export const fetchedBits = fetchedCount - bitShift;
/**
 * As many whole bytes of the next eight as fit. What stands in `bits` above `count` are then bits of the byte behind;
 * setting them again changes nothing.
 */
export const fetch = [
  set(bits, i64Or(bits, i64Shl(i64Load(position), i64ExtendI32U(count)))),
  set(position, i32Add(position, i32And(i32ShrU(i32Sub(63, count), 3), 7))),
  set(count, i32Or(count, fetchedCount)),
];
/** Takes as many bits as the low 6 of `amount` say; a shift takes no others. */
export const consume = (amount: Operand<'i32'>) => [
  set(bits, i64ShrU(bits, i64ExtendI32U(amount))),
  set(count, i32Sub(count, amount)),
];
/** The next 30 bits. */
const nextBits = i32ShrU(i32WrapI64(bits), bitShift);
/** The next bits, as many as `amount` says: 0 to 29. */
export const peek = (amount: Operand<'i32'>) => i32And(nextBits, i32Sub(i32Shl(1, amount), 1));
/** Offset, in a table of 4 bytes an entry, of the next bits. @param mask of these, times 4. */
export const entryOffset = (mask: I32) => i32And(i32WrapI64(bits), mask);
/** Such a mask. */
export const toEntryMask = (tableBits: I32) => i32Sub(i32Shl(4, tableBits), 4);
/** Whole bytes that are at hand. */
export const bytesLeft = i32ShrU(bitsLeft, 3);

/** Whether bits were taken that are not there. */
export const isBehindInput = i32GtS(i32Shl(i32Sub(position, inputEnd), 3), bitsLeft);
