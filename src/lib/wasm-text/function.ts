import {
  type Body,
  bodyText,
  type Local,
  type Operand,
  operandText,
  type Statement,
  toStatement,
  toValue,
  type Value,
  type ValueType,
} from './expression.ts';

type AnyLocal = Local<ValueType>;
type Arguments<P extends readonly AnyLocal[]> = {
  [K in keyof P]: P[K] extends Local<infer T> ? Operand<T> : never;
};

/** A function of a module, and how others of the module call it. */
export interface WasmFunction<
  P extends readonly AnyLocal[] = readonly AnyLocal[],
  R extends ValueType | undefined = undefined,
> {
  readonly text: string;
  call(...operands: Arguments<P>): R extends ValueType ? Value<R> : Statement;
}

export interface FunctionParts<P extends readonly AnyLocal[], R extends ValueType> {
  readonly name: string;
  readonly params: P;
  /** Locals are 0 at the beginning, and numbered by type. */
  readonly locals?: readonly AnyLocal[];
  readonly body: Body;
  /** The function's result, computed after its body. */
  readonly result?: Value<R>;
  /** Whether JavaScript can call it. */
  readonly exported?: boolean;
  /**
   * Whether to make constant vectors once, at the beginning. In a loop V8 makes them anew in each iteration, with three or
   * four instructions each.
   */
  readonly hoistsConstants?: boolean;
}

const typeOrder: readonly ValueType[] = ['i32', 'i64', 'f32', 'v128'];

export function wasmFunction<const P extends readonly AnyLocal[]>(
  parts: FunctionParts<P, never>,
): WasmFunction<P>;
export function wasmFunction<const P extends readonly AnyLocal[], R extends ValueType>(
  parts: FunctionParts<P, R> & { readonly result: Value<R> },
): WasmFunction<P, R>;
export function wasmFunction({
  name,
  params,
  locals = [],
  body,
  result,
  exported = false,
  hoistsConstants = false,
}: FunctionParts<readonly AnyLocal[], ValueType>): WasmFunction<readonly AnyLocal[], ValueType | undefined> {
  const declare = (kind: string, local: AnyLocal) => `(${kind} $${local.name} ${local.type})`;
  const ordered = typeOrder.flatMap((type) => locals.filter((local) => local.type === type));
  const code = hoistsConstants ? hoistConstants(bodyText(body)) : bodyText(body);
  const text = `(func $${name} ${exported ? `(export "${name}")` : ''}
    ${params.map((param) => declare('param', param)).join(' ')} ${result ? `(result ${result.type})` : ''}
    ${ordered.map((local) => declare('local', local)).join(' ')}
    ${code}
    ${result?.text ?? ''})`;
  return {
    text,
    call(...operands: readonly Operand<ValueType>[]) {
      const call = `(call $${name} ${operands.map(operandText).join(' ')})`;
      return result ? toValue(result.type, call) : toStatement(call);
    },
  } as WasmFunction<readonly AnyLocal[], ValueType | undefined>;
}

/** Moves each distinct constant vector of `code` to a local of its own, which is declared and set before the rest. */
function hoistConstants(code: string): string {
  const names = new Map<string, string>();
  const rest = code.replaceAll(/\(v128\.const [^)]*\)/g, (constant) => {
    const name = names.get(constant) ?? `constant${names.size}`;
    names.set(constant, name);
    return `(local.get $${name})`;
  });
  const declarations = [...names.values()].map((name) => `(local $${name} v128)`);
  const settings = [...names].map(([constant, name]) => `(local.set $${name} ${constant})`);
  return [...declarations, ...settings, rest].join('\n');
}

/** A module of these functions on the memory that it is given. */
export function wasmModule(functions: readonly Pick<WasmFunction, 'text'>[]): string {
  return `(module
  (import "env" "memory" (memory 1))
  ${functions.map(({ text }) => text).join('\n')}
)\n`;
}
