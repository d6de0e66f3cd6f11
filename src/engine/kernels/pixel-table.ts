import { countUp, increase, set, tee, when } from '../../lib/wasm-text/control.ts';
import { i32Local, i32Locals } from '../../lib/wasm-text/expression.ts';
import { i32Add, i32LtS } from '../../lib/wasm-text/integers.ts';
import { at, i32Store } from '../../lib/wasm-text/memory.ts';
import { pixelEntryBytes, pixelTable } from '../kernel-layout.ts';
import { field } from './descriptor-fields.ts';

/** Address of an entry of the table of pixels; pixels of the block. */
export const [pixelEntry, count] = i32Locals('pixelEntry', 'count');
/** Column of the next pixel; its addresses, and those of the first pixel of its row. */
const x = i32Local('x');
const [input, output, residual] = i32Locals('input', 'output', 'residual');
const [inputRow, outputRow, residualRow] = i32Locals('inputRow', 'outputRow', 'residualRow');
const [index] = i32Locals('index');

/** Locals that `beginTable` and `fillTable` need. */
export const tableLocals = [
  ...[x, index, input, output, residual, inputRow, outputRow, residualRow, count, pixelEntry],
];

const nextRow = (row: typeof x, step: 'inputStepY' | 'outputStepY' | 'residualStepY') =>
  tee(row, i32Add(row, field(step)));

/** To the first pixel of the output. */
export const beginTable = [
  set(input, tee(inputRow, field('input'))),
  set(output, tee(outputRow, field('output'))),
  set(residual, tee(residualRow, field('residual'))),
];

/** Notes the addresses of the next `count` pixels, from where the last block ended. */
export const fillTable = [
  set(pixelEntry, field('pixels')),
  countUp(index, count, 1, [
    i32Store(at(pixelEntry, pixelTable.input), input),
    i32Store(at(pixelEntry, pixelTable.output), output),
    i32Store(at(pixelEntry, pixelTable.residual), residual),
    increase(pixelEntry, pixelEntryBytes),
    increase(x, 1),
    when(
      i32LtS(x, field('width')),
      [
        increase(input, field('inputStepX')),
        increase(output, field('outputStepX')),
        increase(residual, field('residualStepX')),
      ],
      [
        set(x, 0),
        set(input, nextRow(inputRow, 'inputStepY')),
        set(output, nextRow(outputRow, 'outputStepY')),
        set(residual, nextRow(residualRow, 'residualStepY')),
      ],
    ),
  ]),
];
