import { describe, expect, it } from 'vitest';
import createWabt from 'wabt';
import {
  block,
  branch,
  branchIf,
  countUp,
  increase,
  loop,
  nop,
  repeat,
  select,
  set,
  setTogether,
  tee,
  when,
} from '../../src/lib/wasm-text/control.ts';
import {
  type Body,
  i32Locals,
  i64Locals,
  type Value,
  v128Locals,
} from '../../src/lib/wasm-text/expression.ts';
import { wasmFunction, wasmModule } from '../../src/lib/wasm-text/function.ts';
import {
  i32Add,
  i32GtS,
  i32LtS,
  i32Mul,
  i32Sub,
  i32WrapI64,
  i64ExtendI32U,
  i64Or,
  i64Shl,
} from '../../src/lib/wasm-text/integers.ts';
import { at, i32Load, i32Store, v128Load, v128Store } from '../../src/lib/wasm-text/memory.ts';
import { i8x16Shuffle, i32x4Add, i32x4Const, i32x4ExtractLane } from '../../src/lib/wasm-text/vectors.ts';

const [a, b, sum, i] = i32Locals('a', 'b', 'sum', 'i');

/** What a function of `a` and `b` with such a body returns; `sum`, `i` and the given are its locals. */
async function run(body: Body, args: readonly [number, number], result: Value<'i32'> = sum): Promise<number> {
  const [wide] = i64Locals('wide');
  const vectors = v128Locals('x', 'y');
  const tested = wasmFunction({
    name: 'tested',
    exported: true,
    params: [a, b],
    locals: [sum, i, wide, ...vectors],
    body,
    result,
  });
  return (await instantiate([tested])).tested!(...args);
}

async function instantiate(functions: Parameters<typeof wasmModule>[0]) {
  const wabt = await createWabt();
  const parsed = wabt.parseWat('tested', wasmModule(functions), { simd: true });
  parsed.validate();
  const { buffer } = parsed.toBinary({});
  parsed.destroy();
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(buffer as Uint8Array<ArrayBuffer>), {
    env: { memory },
  });
  return exports as Readonly<Record<string, (...args: number[]) => number>>;
}

describe('a function that is written with typed text', () => {
  it('takes constants for integers', async () => {
    expect(await run(set(sum, i32Sub(i32Mul(a, 10), i32Add(b, -1))), [4, 3])).toBe(38);
  });
  it('counts up, evaluating the limit each time', async () => {
    expect(await run(countUp(i, a, 2, [increase(sum, i), increase(a, b)]), [3, 1])).toBe(0 + 2 + 4);
    expect(await run(countUp(i, a, 1, increase(sum, 1)), [0, 0])).toBe(0);
  });
  it('branches behind a block, and to the beginning of a loop', async () => {
    const body = block('done', (done) =>
      loop('again', (again) => [
        branchIf(done, i32GtS(sum, a)),
        increase(sum, b),
        when(i32LtS(sum, 100), branch(again)),
      ]),
    );
    expect(await run(body, [20, 7])).toBe(21);
    expect(await run(body, [2000, 60])).toBe(120);
  });
  it('does one of two things, or selects one of two values', async () => {
    const body = when(i32LtS(a, b), set(sum, 1), [nop, set(sum, 2)]);
    expect([await run(body, [1, 2]), await run(body, [2, 1])]).toEqual([1, 2]);
    expect(await run([], [1, 2], select(a, b, i32LtS(a, b)))).toBe(1);
    expect(await run([], [5, 2], select(a, b, i32LtS(a, b)))).toBe(2);
  });
  it('sets a local and goes on with its value', async () => {
    expect(await run([], [5, 2], i32Add(tee(sum, i32Add(a, b)), sum))).toBe(14);
  });
  it('computes all before it sets any', async () => {
    const [x, y] = v128Locals('x', 'y');
    const body = [
      set(x, i32x4Const(3)),
      set(y, i32x4Const([10, 20, 30, 40])),
      setTogether([x, y], [i32x4Add(x, y), x]),
    ];
    const lanes = i32Add(i32x4ExtractLane(1, x), i32Mul(i32x4ExtractLane(0, y), 100));
    expect(await run(body, [0, 0], lanes)).toBe(323);
  });
  it('writes things out as often as asked', async () => {
    expect(
      await run(
        repeat(5, (index) => increase(sum, index)),
        [0, 0],
      ),
    ).toBe(10);
  });
  it('loads and stores at a constant distance', async () => {
    const body = [
      i32Store(at(a, 8), b),
      v128Store(
        at(a, 64),
        i8x16Shuffle(
          [...Array(16).keys()].map((byte) => 15 - byte),
          v128Load(a),
          v128Load(a),
        ),
      ),
    ];
    expect(await run(body, [16, 0x01020304], i32Load(at(a, 68)))).toBe(0x04030201);
  });
  it('works on 64 bits', async () => {
    const [wide] = i64Locals('wide');
    const body = set(wide, i64Or(i64Shl(i64ExtendI32U(a), 3n), 5n));
    expect(await run(body, [7, 0], i32WrapI64(wide))).toBe(61);
  });
  it('calls another, which gives a value or none', async () => {
    const double = wasmFunction({ name: 'double', params: [a], body: [], result: i32Mul(a, 2) });
    const note = wasmFunction({ name: 'note', params: [a, b], body: i32Store(a, b) });
    const tested = wasmFunction({
      name: 'tested',
      exported: true,
      params: [a],
      body: note.call(32, double.call(i32Add(a, 1))),
      result: i32Load(at(a, 28)),
    });
    expect((await instantiate([double, note, tested])).tested!(4)).toBe(10);
  });
});

describe('what is no text is refused', () => {
  const [x] = v128Locals('x');
  const [wide] = i64Locals('wide');
  it('by the number of lanes', () => {
    expect(() => i8x16Shuffle([1, 2, 3], x, x)).toThrow('16 bytes');
    expect(() => i32x4Const([1, 2, 3])).toThrow('i32x4 has 4 lanes');
  });
  it('by the types', () => {
    const note = wasmFunction({ name: 'note', params: [a, x], body: [] });
    // @ts-expect-error a vector is no number
    i32Add(x, 1);
    // @ts-expect-error nor is a number of 64 bits one of 32
    i32Add(wide, 1);
    // @ts-expect-error a local holds values of its type
    set(sum, x);
    // @ts-expect-error an address is a number
    v128Load(x);
    // @ts-expect-error what leaves no value is none
    i32Add(set(sum, 1), 1);
    // @ts-expect-error a function takes what it was declared to take
    note.call(a, b);
    // @ts-expect-error and all of it
    note.call(a);
    expect(note.call(a, x).text).toContain('call $note');
  });
});
