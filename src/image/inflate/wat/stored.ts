import { select, set } from '../../../lib/wasm-text/control.ts';
import { i32Locals } from '../../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../../lib/wasm-text/function.ts';
import { i32Add, i32Eq, i32LtS, i32Sub } from '../../../lib/wasm-text/integers.ts';
import { memoryCopy } from '../../../lib/wasm-text/memory.ts';
import { inflateStatus } from '../layout.ts';
import { field, setField, state } from './state.ts';

const [left, available, amount] = i32Locals('left', 'available', 'amount');

/** `copyStored` of ../plain-inflater.ts. */
export const copyStored = wasmFunction({
  name: 'copy_stored',
  exported: true,
  params: [state],
  locals: [left, available, amount],
  body: [
    set(left, field('storedLeft')),
    set(available, i32Sub(field('inputEnd'), field('position'))),
    set(amount, i32Sub(field('outputEnd'), field('output'))),
    [left, available].map((limit) => set(amount, select(limit, amount, i32LtS(limit, amount)))),
    memoryCopy(field('output'), field('position'), amount),
    setField('position', i32Add(field('position'), amount)),
    setField('output', i32Add(field('output'), amount)),
    setField('storedLeft', i32Sub(left, amount)),
  ],
  result: select(
    inflateStatus.blockEnd,
    select(inflateStatus.needsInput, inflateStatus.isFull, i32Eq(amount, available)),
    i32Eq(amount, left),
  ),
});
