import { type I32, type I64, type Operand, operandText, toValue } from './expression.ts';

type Int = Operand<'i32'>;
type Long = Operand<'i64'>;

const i32Unary = (name: string) => (a: Int) => toValue('i32', `(i32.${name} ${operandText(a)})`);
const i32Binary = (name: string) => (a: Int, b: Int) =>
  toValue('i32', `(i32.${name} ${operandText(a)} ${operandText(b)})`);
const i64Unary = (name: string) => (a: Long) => toValue('i64', `(i64.${name} ${operandText(a)})`);
const i64Binary = (name: string) => (a: Long, b: Long) =>
  toValue('i64', `(i64.${name} ${operandText(a)} ${operandText(b)})`);

export const i32Add = i32Binary('add');
export const i32Sub = i32Binary('sub');
export const i32Mul = i32Binary('mul');
export const i32DivU = i32Binary('div_u');
export const i32RemU = i32Binary('rem_u');
export const i32And = i32Binary('and');
export const i32Or = i32Binary('or');
export const i32Shl = i32Binary('shl');
export const i32ShrS = i32Binary('shr_s');
export const i32ShrU = i32Binary('shr_u');
export const i32Eq = i32Binary('eq');
export const i32Ne = i32Binary('ne');
export const i32LtS = i32Binary('lt_s');
export const i32LtU = i32Binary('lt_u');
export const i32LeS = i32Binary('le_s');
export const i32LeU = i32Binary('le_u');
export const i32GtS = i32Binary('gt_s');
export const i32GtU = i32Binary('gt_u');
export const i32GeS = i32Binary('ge_s');
export const i32GeU = i32Binary('ge_u');
export const i32Eqz = i32Unary('eqz');
export const i32Ctz = i32Unary('ctz');
export const i32Popcnt = i32Unary('popcnt');
export const i32Clz = i32Unary('clz');
export const i32Xor = i32Binary('xor');
export const i32Extend16S = i32Unary('extend16_s');
export const i32WrapI64 = (a: I64): I32 => toValue('i32', `(i32.wrap_i64 ${a.text})`);

export const i64Add = i64Binary('add');
export const i64Sub = i64Binary('sub');
export const i64Mul = i64Binary('mul');
export const i64And = i64Binary('and');
export const i64Or = i64Binary('or');
export const i64Xor = i64Binary('xor');
export const i64Shl = i64Binary('shl');
export const i64ShrU = i64Binary('shr_u');
export const i64Popcnt = i64Unary('popcnt');
export const i64Ctz = i64Unary('ctz');
export const i32Const = (value: number): I32 => toValue('i32', operandText(value));
export const i64Const = (value: bigint): I64 => toValue('i64', operandText(value));
export const i64Eqz = (a: I64): I32 => toValue('i32', `(i64.eqz ${a.text})`);
export const i64ExtendI32U = (a: Int): I64 => toValue('i64', `(i64.extend_i32_u ${operandText(a)})`);
/** 1 where `a` is no less than `b`, both unsigned. */
export const i64GeU = (a: Long, b: Long): I32 =>
  toValue('i32', `(i64.ge_u ${operandText(a)} ${operandText(b)})`);
