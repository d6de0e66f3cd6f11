/** Small pieces of WebAssembly text. Strings in, strings out: what is generated can be read as it stands. */

export const get = (name: string) => `(local.get $${name})`;
export const set = (name: string, value: string) => `(local.set $${name} ${value})`;
export const i32 = (value: number) => `(i32.const ${value})`;
export const add = (a: string, b: string) => `(i32.add ${a} ${b})`;
export const mul = (a: string, b: string) => `(i32.mul ${a} ${b})`;
export const sub = (a: string, b: string) => `(i32.sub ${a} ${b})`;
export const shl = (value: string, by: number) => `(i32.shl ${value} ${i32(by)})`;
export const and = (a: string, mask: number) => `(i32.and ${a} ${i32(mask)})`;
export const toI64 = (value: string) => `(i64.extend_i32_u ${value})`;
export const load = (address: string, offset: number) => `(i32.load offset=${offset} ${address})`;
export const store = (address: string, offset: number, value: string) =>
  `(i32.store offset=${offset} ${address} ${value})`;
export const when = (condition: string, then: string, otherwise = '') =>
  `(if ${condition} (then ${then}) ${otherwise && `(else ${otherwise})`})`;
/** Four 32-bit, or eight 16-bit, numbers that are the same. */
export const splat32 = (value: number) => `(v128.const i32x4 ${Array(4).fill(value).join(' ')})`;
export const splat16 = (value: number) => `(v128.const i16x8 ${Array(8).fill(value).join(' ')})`;
/** A shuffle of 32-bit lanes: 0 to 3 of `a`, 4 to 7 of `b`. */
export const shuffle32 = (order: readonly number[], a: string, b: string) =>
  `(i8x16.shuffle ${order.flatMap((lane) => [0, 1, 2, 3].map((byte) => lane * 4 + byte)).join(' ')} ${a} ${b})`;
export const increase = (name: string, by: string) => set(name, add(get(name), by));

export const repeat = (count: number, make: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => make(index)).join('\n');

/** `for (name = 0; name < limit; name += step) body`; `limit` is evaluated each time. */
export function loop(name: string, limit: string, step: number | string, body: string): string {
  const by = typeof step === 'number' ? i32(step) : step;
  return `${set(name, i32(0))}
    (block $end_${name} (loop $next_${name}
      (br_if $end_${name} (i32.ge_s ${get(name)} ${limit}))
      ${body}
      ${increase(name, by)}
      (br $next_${name})))`;
}

export interface WatFunction {
  readonly name: string;
  readonly params: readonly string[];
  /** Locals by type. */
  readonly i32?: readonly string[];
  readonly i64?: readonly string[];
  readonly v128?: readonly string[];
  readonly body: string;
  readonly exported?: boolean;
  /** Types of parameters that are not i32. */
  readonly types?: Readonly<Record<string, 'f32' | 'v128'>>;
  readonly result?: 'i32' | 'v128';
}

export function toFunction({
  name,
  params,
  i32: ints = [],
  i64: longs = [],
  v128 = [],
  body,
  exported,
  types = {},
  result,
}: WatFunction): string {
  const declare = (kind: string, names: readonly string[], type: string) =>
    names.map((local) => `(${kind} $${local} ${type})`).join(' ');
  const parameters = params.map((param) => `(param $${param} ${types[param] ?? 'i32'})`).join(' ');
  return `(func $${name} ${exported ? `(export "${name}")` : ''} ${parameters} ${result ? `(result ${result})` : ''}
    ${declare('local', ints, 'i32')} ${declare('local', longs, 'i64')} ${declare('local', v128, 'v128')}
    ${body})`;
}
