import {
  block,
  branch,
  branchIf,
  increase,
  loop,
  select,
  set,
  when,
} from '../../../../../lib/wasm-text/control.ts';
import { type Body, i32Locals } from '../../../../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../../../../lib/wasm-text/function.ts';
import {
  i32Add,
  i32And,
  i32Eq,
  i32Eqz,
  i32GtS,
  i32LtS,
  i32Mul,
  i32Or,
  i32Shl,
  i32ShrU,
  i32Sub,
} from '../../../../../lib/wasm-text/integers.ts';
import {
  at,
  i32Load,
  i32Load8U,
  i32Load16S,
  i32Store8,
  i32Store16,
  memoryFill,
} from '../../../../../lib/wasm-text/memory.ts';
import { blockContent, coefficientsPerBlock, secondFlag } from '../residuals.ts';
import {
  boolLayout,
  categoryBytes,
  contextBytes,
  positionBytes,
  quantizerLayout,
  tokenTables,
  typeBytes,
} from '../wasm/layout.ts';
import { bit, boolLocals, branchOnBit, loadBools, readBit, storeBools } from './bools.ts';
import { inverseWht } from './inverse-wht.ts';

const [bools, tables, above, left, quantizer, coefficients, content, submodes] = i32Locals(
  'bools',
  'tables',
  'above',
  'left',
  'quantizer',
  'coefficients',
  'content',
  'submodes',
);
const [number, first, place, node, position, extra, out, dcStep, acStep] = i32Locals(
  'number',
  'first',
  'place',
  'node',
  'position',
  'extra',
  'out',
  'dc_step',
  'ac_step',
);
const [aboveFlag, leftFlag, result, any, row, level] = i32Locals(
  'above_flag',
  'left_flag',
  'result',
  'any',
  'row',
  'level',
);

const blockBytes = 2 * coefficientsPerBlock;
const nodeAt = (index: number) => i32Load8U(at(node, index));
const step = (name: keyof typeof quantizerLayout) => i32Load(at(quantizer, quantizerLayout[name]));
const setPlace = (type: number) => set(place, i32Add(tables, type * typeBytes));

/** Values of 11 and more, their bits behind the category. */
const readCategory: Body = [
  readBit(nodeAt(8)),
  set(level, bit),
  readBit(i32Load8U(at(i32Add(node, level), 9))),
  set(level, i32Add(i32Shl(level, 1), bit)),
  set(row, i32Add(tables, i32Mul(level, categoryBytes))),
  set(extra, 0),
  loop('extra_bits', (next) => [
    readBit(i32Load8U(at(row, tokenTables.categories))),
    set(extra, i32Add(i32Shl(extra, 1), bit)),
    increase(row, 1),
    branchIf(next, i32Load8U(at(row, tokenTables.categories))),
  ]),
  set(level, i32Add(i32Add(extra, 3), i32Shl(8, level))),
];

/** `readLargeValue` of tokens.ts into `level`. */
const readLargeValue: Body = branchOnBit(
  nodeAt(3),
  branchOnBit(nodeAt(6), readCategory, [
    branchOnBit(
      nodeAt(7),
      [readBit(165), set(level, i32Add(7, i32Shl(bit, 1))), readBit(145), set(level, i32Add(level, bit))],
      [readBit(159), set(level, i32Add(5, bit))],
    ),
  ]),
  branchOnBit(nodeAt(4), [readBit(nodeAt(5)), set(level, i32Add(3, bit))], set(level, 2)),
);

/** `readBlock` of tokens.ts: from `first` on, `node` being the first one's; ends with `position`. */
const readBlock: Body = [
  set(position, first),
  block('block_ends', (ends) =>
    loop('token', (token) => [
      branchOnBit(nodeAt(0), [], branch(ends)),
      loop('zero', (zero) =>
        branchOnBit(
          nodeAt(1),
          [],
          [
            increase(position, 1),
            branchIf(ends, i32Eq(position, 16)),
            increase(place, positionBytes),
            set(node, place),
            branch(zero),
          ],
        ),
      ),
      increase(place, positionBytes),
      branchOnBit(
        nodeAt(2),
        [readLargeValue, set(node, i32Add(place, 2 * contextBytes))],
        [set(level, 1), set(node, i32Add(place, contextBytes))],
      ),
      readBit(128),
      set(level, i32Mul(i32Sub(level, i32Mul(i32Shl(level, 1), bit)), select(acStep, dcStep, position))),
      i32Store16(i32Add(out, i32Load8U(at(i32Add(tables, position), tokenTables.zigzag))), level),
      increase(position, 1),
      branchIf(token, i32LtS(position, 16)),
    ]),
  ),
];

/** Sets what is different for the block of second order (number -1), of luma and of chroma. */
const chooseBlock: Body = when(
  i32LtS(number, 0),
  [
    set(first, 0),
    setPlace(1),
    set(out, i32Sub(coefficients, blockBytes)),
    set(dcStep, step('secondDc')),
    set(acStep, step('secondAc')),
    set(aboveFlag, i32Add(above, secondFlag)),
    set(leftFlag, i32Add(left, secondFlag)),
  ],
  when(
    i32LtS(number, 16),
    [
      set(first, i32Eqz(submodes)),
      set(place, i32Add(tables, i32Mul(submodes, 3 * typeBytes))),
      set(place, i32Add(place, i32Mul(first, positionBytes))),
      set(dcStep, step('lumaDc')),
      set(acStep, step('lumaAc')),
      set(aboveFlag, i32Add(above, i32And(number, 3))),
      set(leftFlag, i32Add(left, i32ShrU(number, 2))),
    ],
    [
      set(first, 0),
      setPlace(2),
      set(dcStep, step('chromaDc')),
      set(acStep, step('chromaAc')),
      // Flags 4 and 5 of Cb, 6 and 7 of Cr.
      set(row, i32Add(4, i32And(i32ShrU(number, 1), 2))),
      set(aboveFlag, i32Add(i32Add(above, row), i32And(number, 1))),
      set(leftFlag, i32Add(i32Add(left, row), i32And(i32ShrU(number, 1), 1))),
    ],
  ),
);

const noteContent: Body = [
  set(
    result,
    select(
      blockContent.ac,
      select(blockContent.dc, blockContent.empty, i32Load16S(out)),
      i32GtS(position, 1),
    ),
  ),
  i32Store8(i32Add(content, number), result),
  set(any, i32Or(any, result)),
];

/**
 * `ResidualsReader.read` of residuals.ts. Before the coefficients is room for a block, the one of second order.
 *
 * Returns whether there are coefficients in bit 0 and 1, and in bit 8 whether the partition is exhausted.
 */
export const readResiduals = wasmFunction({
  name: 'vp8_read_residuals',
  exported: true,
  params: [bools, tables, above, left, quantizer, coefficients, content, submodes],
  locals: [
    ...boolLocals,
    ...[number, first, place, node, position, extra, out, dcStep, acStep],
    ...[aboveFlag, leftFlag, result, any, row, level],
  ],
  body: [
    loadBools(bools),
    memoryFill(i32Sub(coefficients, blockBytes), 0, 25 * blockBytes),
    set(number, i32Sub(submodes, 1)),
    set(out, coefficients),
    loop('block', (next) => [
      chooseBlock,
      set(node, i32Add(place, i32Mul(i32Add(i32Load8U(aboveFlag), i32Load8U(leftFlag)), contextBytes))),
      readBlock,
      set(result, i32GtS(position, first)),
      i32Store8(aboveFlag, result),
      i32Store8(leftFlag, result),
      when(i32LtS(number, 0), inverseWht.call(out, coefficients), noteContent),
      increase(out, blockBytes),
      increase(number, 1),
      branchIf(next, i32LtS(number, 24)),
    ]),
    storeBools(bools),
  ],
  result: i32Or(any, i32Shl(i32Load(at(bools, boolLayout.exhausted)), 8)),
});
