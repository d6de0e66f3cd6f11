import { set } from '../../../../../lib/wasm-text/control.ts';
import { i32Locals } from '../../../../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../../../../lib/wasm-text/function.ts';
import { i32Add, i32ShrS, i32Sub } from '../../../../../lib/wasm-text/integers.ts';
import { at, i32Load16S, i32Store16 } from '../../../../../lib/wasm-text/memory.ts';

const [from, out] = i32Locals('from', 'out');
const names = Array.from({ length: 16 }, (_, i) => `t${i}`);
const tmp = i32Locals(...names);
const [a0, a1, a2, a3] = i32Locals('a0', 'a1', 'a2', 'a3');
const blockBytes = 32;

/** `inverseWht` of inverse-transforms.ts. */
export const inverseWht = wasmFunction({
  name: 'vp8_inverse_wht',
  params: [from, out],
  locals: [...tmp, a0, a1, a2, a3],
  body: [
    [0, 1, 2, 3].map((i) => {
      const coefficient = (row: number) => i32Load16S(at(from, 2 * (4 * row + i)));
      return [
        set(a0, i32Add(coefficient(0), coefficient(3))),
        set(a1, i32Add(coefficient(1), coefficient(2))),
        set(a2, i32Sub(coefficient(1), coefficient(2))),
        set(a3, i32Sub(coefficient(0), coefficient(3))),
        set(tmp[i]!, i32Add(a0, a1)),
        set(tmp[8 + i]!, i32Sub(a0, a1)),
        set(tmp[4 + i]!, i32Add(a3, a2)),
        set(tmp[12 + i]!, i32Sub(a3, a2)),
      ];
    }),
    [0, 1, 2, 3].map((i) => {
      const [t0, t1, t2, t3] = [tmp[4 * i]!, tmp[4 * i + 1]!, tmp[4 * i + 2]!, tmp[4 * i + 3]!];
      const store = (column: number, value: ReturnType<typeof i32Add>) =>
        i32Store16(at(out, (4 * i + column) * blockBytes), i32ShrS(value, 3));
      return [
        set(a0, i32Add(i32Add(t0, 3), t3)),
        set(a1, i32Add(t1, t2)),
        set(a2, i32Sub(t1, t2)),
        set(a3, i32Sub(i32Add(t0, 3), t3)),
        store(0, i32Add(a0, a1)),
        store(1, i32Add(a3, a2)),
        store(2, i32Sub(a0, a1)),
        store(3, i32Sub(a3, a2)),
      ];
    }),
  ],
});
