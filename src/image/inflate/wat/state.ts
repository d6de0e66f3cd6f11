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

/** Bits at hand: the lowest `count` of `bits` are the next ones, and only the low 8 bits of `count` count. */
export const bits = i64Local('bits');
export const [count, position, inputEnd] = i32Locals('count', 'position', 'inputEnd');
/** Of a routine. */
export const status = i32Local('status');

type Field = keyof typeof stateLayout;
export const field = (name: Field) => i32Load(at(state, stateLayout[name]));
export const setField = (name: Field, value: Operand<'i32'>) => i32Store(at(state, stateLayout[name]), value);
export const region = (name: keyof typeof regions) => i32Add(state, places[name]);

export const enter = [
  set(bits, i64Load(at(state, stateLayout.bits))),
  set(count, field('count')),
  set(position, field('position')),
  set(inputEnd, field('inputEnd')),
];
export const leave = [
  i64Store(at(state, stateLayout.bits), bits),
  setField('count', i32And(count, 255)),
  setField('position', position),
];

/** Bits that are at hand after `fetch`, at least. */
export const fetchedBits = 56;
/**
 * As many whole bytes of the next eight as fit. What stands in `bits` above `count` are then bits of the byte behind;
 * setting them again changes nothing.
 */
export const fetch = [
  set(bits, i64Or(bits, i64Shl(i64Load(position), i64ExtendI32U(count)))),
  set(position, i32Add(position, i32And(i32ShrU(i32Sub(63, count), 3), 7))),
  set(count, i32Or(count, fetchedBits)),
];
/** Takes as many bits as the low 6 of `amount` say; a shift takes no others. */
export const consume = (amount: Operand<'i32'>) => [
  set(bits, i64ShrU(bits, i64ExtendI32U(amount))),
  set(count, i32Sub(count, amount)),
];
export const nextBits = i32WrapI64(bits);
export const lowBits = (value: I32, amount: Operand<'i32'>) => i32And(value, i32Sub(i32Shl(1, amount), 1));

/** Whether bits were taken that are not there. */
export const isBehindInput = i32GtS(i32Shl(i32Sub(position, inputEnd), 3), i32And(count, 255));
