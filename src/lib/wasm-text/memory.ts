import {
  type I32,
  type Operand,
  operandText,
  type Statement,
  toStatement,
  toValue,
  type V128,
  type ValueType,
} from './expression.ts';

/** An address, and a constant distance from it that costs no instruction. */
export interface Place {
  readonly base: I32;
  readonly offset: number;
}
type Address = I32 | Place;

export const at = (base: I32, offset: number): Place => ({ base, offset });

const addressText = (address: Address) => ('base' in address ? address.base.text : address.text);
const offsetText = (address: Address) => ('base' in address ? `offset=${address.offset}` : '');

const load =
  <T extends ValueType>(type: T, instruction: string) =>
  (address: Address) =>
    toValue(type, `(${instruction} ${offsetText(address)} ${addressText(address)})`);
const store =
  <T extends ValueType>(instruction: string) =>
  (address: Address, value: Operand<T>) =>
    toStatement(`(${instruction} ${offsetText(address)} ${addressText(address)} ${operandText(value)})`);
const storeLane =
  (instruction: string) =>
  (lane: number, address: Address, value: V128): Statement =>
    toStatement(`(${instruction} ${offsetText(address)} ${lane} ${addressText(address)} ${value.text})`);

export const i32Load = load('i32', 'i32.load');
export const i32Load8U = load('i32', 'i32.load8_u');
export const i32Load16U = load('i32', 'i32.load16_u');
export const i32Load16S = load('i32', 'i32.load16_s');
export const i64Load = load('i64', 'i64.load');
export const v128Load = load('v128', 'v128.load');
export const v128Load64Zero = load('v128', 'v128.load64_zero');
/** The vector with a number from memory in that lane. */
const loadLane =
  (instruction: string) =>
  (lane: number, address: Address, vector: V128): V128 =>
    toValue('v128', `(${instruction} ${offsetText(address)} ${lane} ${addressText(address)} ${vector.text})`);
export const v128Load8Lane = loadLane('v128.load8_lane');
export const v128Load32Lane = loadLane('v128.load32_lane');
export const v128Load64Lane = loadLane('v128.load64_lane');
export const v128Load16x4S = load('v128', 'v128.load16x4_s');
export const v128Load32Zero = load('v128', 'v128.load32_zero');
export const v128Load8x8U = load('v128', 'v128.load8x8_u');
export const v128Load8x8S = load('v128', 'v128.load8x8_s');
export const v128Load16Splat = load('v128', 'v128.load16_splat');
export const v128Load32Splat = load('v128', 'v128.load32_splat');
export const v128Load64Splat = load('v128', 'v128.load64_splat');

export const i32Store = store<'i32'>('i32.store');
export const i32Store8 = store<'i32'>('i32.store8');
export const i32Store16 = store<'i32'>('i32.store16');
export const i64Store = store<'i64'>('i64.store');
export const v128Store = store<'v128'>('v128.store');
export const v128Store32Lane = storeLane('v128.store32_lane');
export const v128Store64Lane = storeLane('v128.store64_lane');

export const memoryCopy = (target: I32, source: I32, bytes: Operand<'i32'>): Statement =>
  toStatement(`(memory.copy ${target.text} ${source.text} ${operandText(bytes)})`);
export const memoryFill = (address: I32, value: Operand<'i32'>, bytes: Operand<'i32'>): Statement =>
  toStatement(`(memory.fill ${address.text} ${operandText(value)} ${operandText(bytes)})`);
