import {
  type Body,
  bodyText,
  type I32,
  type Local,
  type Operand,
  operandText,
  type Statement,
  toStatement,
  toValue,
  type V128,
  type Value,
  type ValueType,
} from './expression.ts';
import { i32Add, i32GeS } from './integers.ts';

/** The target of a branch: the end of a block, or the beginning of a loop. */
export interface Label {
  readonly label: string;
}

export const nop: Statement = toStatement('(nop)');

export const set = <T extends ValueType>(local: Local<T>, value: Operand<T>): Statement =>
  toStatement(`(local.set $${local.name} ${operandText(value)})`);
/** Sets `local`; the value remains. */
export const tee = <T extends ValueType>(local: Local<T>, value: Operand<T>): Value<T> =>
  toValue(local.type, `(local.tee $${local.name} ${operandText(value)})`);
/** Computes all values before it sets any local, because values may be computed from these locals. */
export const setTogether = (locals: readonly Local<'v128'>[], values: readonly V128[]): Statement =>
  toStatement(
    [...values.map(({ text }) => text), ...locals.map(({ name }) => `(local.set $${name})`).reverse()].join(
      '\n',
    ),
  );
export const increase = (local: Local<'i32'>, by: Operand<'i32'>): Statement => set(local, i32Add(local, by));
/** `then` if the condition is not 0, else `otherwise`. Both are computed. */
export const select = (then: Operand<'i32'>, otherwise: Operand<'i32'>, condition: I32): I32 =>
  toValue('i32', `(select ${operandText(then)} ${operandText(otherwise)} ${condition.text})`);

/** `branch(label)` leaves `body`. The label is valid only within `body`. */
export const block = (name: string, body: (label: Label) => Body): Statement =>
  toStatement(`(block $${name} ${bodyText(body({ label: name }))})`);
/** `branch(label)` begins `body` again. Without a branch the loop ends. */
export const loop = (name: string, body: (label: Label) => Body): Statement =>
  toStatement(`(loop $${name} ${bodyText(body({ label: name }))})`);
export const branch = ({ label }: Label): Statement => toStatement(`(br $${label})`);
export const branchIf = ({ label }: Label, condition: I32): Statement =>
  toStatement(`(br_if $${label} ${condition.text})`);

export function when(condition: I32, then: Body, otherwise?: Body): Statement {
  const rest = otherwise === undefined ? '' : `(else ${bodyText(otherwise)})`;
  return toStatement(`(if ${condition.text} (then ${bodyText(then)}) ${rest})`);
}

/** `for (counter = 0; counter < limit; counter += step) body`, signed; `limit` is evaluated each time. */
export const countUp = (
  counter: Local<'i32'>,
  limit: Operand<'i32'>,
  step: Operand<'i32'>,
  body: Body,
): Body => [
  set(counter, 0),
  block(`end_${counter.name}`, (end) =>
    loop(`next_${counter.name}`, (next) => [
      branchIf(end, i32GeS(counter, limit)),
      body,
      increase(counter, step),
      branch(next),
    ]),
  ),
];

/** Writes a body `count` times. */
export const repeat = (count: number, make: (index: number) => Body): Body =>
  Array.from({ length: count }, (_, index) => make(index));
