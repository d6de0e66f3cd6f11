/**
 * WebAssembly text with types. An instruction is a function from typed values to a typed value, so TypeScript reports a
 * vector in place of a number. The result is folded text.
 *
 * @see https://webassembly.github.io/spec/core/text/instructions.html#folded-instructions
 */

export type ValueType = 'i32' | 'i64' | 'f32' | 'v128';

/** An expression that leaves one value of type `T`. */
export interface Value<T extends ValueType> {
  readonly type: T;
  readonly text: string;
}
export type I32 = Value<'i32'>;
export type I64 = Value<'i64'>;
export type F32 = Value<'f32'>;
export type V128 = Value<'v128'>;

/** Instructions that leave no value. */
export interface Statement {
  readonly type: 'statement';
  readonly text: string;
}
export type Body = Statement | readonly Body[];

/** A parameter or local of a function. Used as a value, it is its content. */
export interface Local<T extends ValueType> extends Value<T> {
  readonly name: string;
}

/** The forms in which an operand of each type may be given: an integer may be a plain constant. */
interface Operands {
  readonly i32: I32 | number;
  readonly i64: I64 | bigint;
  readonly f32: F32;
  readonly v128: V128;
}
export type Operand<T extends ValueType> = Operands[T];

export const toValue = <T extends ValueType>(type: T, text: string): Value<T> => ({ type, text });
export const toStatement = (text: string): Statement => ({ type: 'statement', text });

export function operandText(operand: Operand<ValueType>): string {
  if (typeof operand === 'number') return `(i32.const ${operand})`;
  if (typeof operand === 'bigint') return `(i64.const ${operand})`;
  return operand.text;
}

export function bodyText(body: Body): string {
  return 'text' in body ? body.text : body.map(bodyText).join('\n');
}

const toLocal = <T extends ValueType>(type: T, name: string): Local<T> => ({
  ...toValue(type, `(local.get $${name})`),
  name,
});
/** Maps names to handles of one type, in order. */
const toLocals =
  <T extends ValueType>(type: T) =>
  <const N extends readonly string[]>(...names: N) =>
    names.map((name) => toLocal(type, name)) as { [K in keyof N]: Local<T> };

export const i32Local = (name: string) => toLocal('i32', name);
export const i64Local = (name: string) => toLocal('i64', name);
export const v128Local = (name: string) => toLocal('v128', name);
export const i32Locals = toLocals('i32');
export const i64Locals = toLocals('i64');
export const f32Locals = toLocals('f32');
export const v128Locals = toLocals('v128');
