import {
  block,
  branch,
  branchIf,
  increase,
  loop,
  select,
  set,
  when,
} from '../../../../lib/wasm-text/control.ts';
import { i32Locals, v128Local } from '../../../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../../../lib/wasm-text/function.ts';
import {
  i32Add,
  i32And,
  i32Ctz,
  i32Eqz,
  i32GeU,
  i32LtU,
  i32Or,
  i32Sub,
} from '../../../../lib/wasm-text/integers.ts';
import { at, i32Load8U, i32Store8, v128Load, v128Store } from '../../../../lib/wasm-text/memory.ts';
import { i8x16Bitmask, i8x16Const, i8x16Eq, i8x16Shuffle } from '../../../../lib/wasm-text/vectors.ts';
import { setField } from './entropy.ts';
import { scan } from './scan-locals.ts';

const [from, end, to, first] = i32Locals('from', 'end', 'to', 'first');
/** A bit for each of 16 bytes, set if it is 0xFF; bytes before the first 0xFF; bytes before the end. */
const [escapes, clean, left] = i32Locals('escapes', 'clean', 'left');
const bytes = v128Local('bytes');
const reversed = Array.from({ length: 16 }, (_, index) => 15 - index);

/**
 * Copies entropy-coded bytes from address `from` up to `end`, in reverse order: the first byte to address `to`, the next
 * below it. Leaves out stuffed zeros. Stops at a marker, or at a last byte 0xFF, which may begin a marker. It may write
 * up to 16 bytes below the last one, and read up to 15 bytes behind `end`.
 *
 * @returns the address behind the last byte read; `written` of the scan has the number of bytes written.
 * @see ITU-T T.81 B.1.1.5
 */
export const unstuff = wasmFunction({
  name: 'unstuff',
  exported: true,
  params: [scan, from, end, to],
  locals: [first, escapes, clean, left, bytes],
  body: [
    set(first, to),
    block('stopped', (stopped) =>
      loop('next', (next) => [
        branchIf(stopped, i32GeU(from, end)),
        set(bytes, v128Load(from)),
        v128Store(i32Sub(to, 15), i8x16Shuffle(reversed, bytes, bytes)),
        set(escapes, i8x16Bitmask(i8x16Eq(bytes, i8x16Const(-1)))),
        set(left, i32Sub(end, from)),
        // Mostly there is none: then nothing depends on its position.
        when(i32And(i32Eqz(escapes), i32GeU(left, 16)), [
          increase(from, 16),
          set(to, i32Sub(to, 16)),
          branch(next),
        ]),
        set(clean, i32Ctz(i32Or(escapes, 1 << 16))),
        set(clean, select(clean, left, i32LtU(clean, left))),
        increase(from, clean),
        set(to, i32Sub(to, clean)),
        branchIf(stopped, i32GeU(i32Add(from, 1), end)),
        branchIf(stopped, i32Load8U(at(from, 1))),
        i32Store8(to, 255),
        set(to, i32Sub(to, 1)),
        increase(from, 2),
        branch(next),
      ]),
    ),
    setField('written', i32Sub(first, to)),
  ],
  result: from,
});
