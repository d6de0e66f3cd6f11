import {
  block,
  branch,
  branchIf,
  countUp,
  increase,
  loop,
  select,
  set,
  when,
} from '../../../lib/wasm-text/control.ts';
import { type I32, i32Locals } from '../../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../../lib/wasm-text/function.ts';
import {
  i32Add,
  i32And,
  i32Clz,
  i32Eq,
  i32Eqz,
  i32GtS,
  i32LeS,
  i32LtS,
  i32Mul,
  i32Ne,
  i32Or,
  i32Shl,
  i32ShrU,
  i32Sub,
  i32Xor,
} from '../../../lib/wasm-text/integers.ts';
import {
  at,
  i32Load,
  i32Load8U,
  i32Load16U,
  i32Store,
  i32Store16,
  memoryCopy,
  memoryFill,
} from '../../../lib/wasm-text/memory.ts';
import { regions } from '../layout.ts';
import { entryFlags, maxCodeLength, subtableBitsShift, subtableStartShift } from '../symbols.ts';
import { state } from './state.ts';

/** See `buildTable` of ../plain-tables.ts. */
const [lengths, symbols, meanings, table, maxTableBits, exceptional, rule] = i32Locals(
  'lengths',
  'symbols',
  'meanings',
  'table',
  'maxTableBits',
  'exceptional',
  'rule',
);
/** `CodeRule` in the same order. */
export const codeRule = { complete: 0, completeOrOne: 1, completeOrOneOrNone: 2 } as const;

const [symbol, length, longest, left, used, start, slot] = i32Locals(
  'symbol',
  'length',
  'longest',
  'left',
  'used',
  'start',
  'slot',
);
/** The code that is next, how many of its length are left, its entry, and where symbols of its length stand. */
const [code, ofLength, entry, sortedAt] = i32Locals('code', 'ofLength', 'entry', 'sortedAt');
/** Bits of the table; entries that are filled, or the end of the last second table. */
const [tableBits, filled, subtableBits, subtablePrefix, subtableStart, step] = i32Locals(
  'tableBits',
  'filled',
  'subtableBits',
  'subtablePrefix',
  'subtableStart',
  'step',
);

const countOf = (ofThis: I32) => i32Load(at(i32Add(state, i32Shl(ofThis, 2)), regions.lengthCounts));
const entryAt = (index: I32) => i32Add(table, i32Shl(index, 2));

const countLengths = [
  memoryFill(i32Add(state, regions.lengthCounts), 0, (maxCodeLength + 1) * 4),
  countUp(symbol, symbols, 1, [
    set(slot, i32Add(state, i32Shl(i32Load8U(i32Add(lengths, symbol)), 2))),
    i32Store(at(slot, regions.lengthCounts), i32Add(i32Load(at(slot, regions.lengthCounts)), 1)),
  ]),
];

/** Leaves in `left` what the codes leave free, below 0 if they are too many, and where each length begins in `sorted`. */
const measureCodes = [
  set(left, 1),
  set(length, 1),
  set(start, 0),
  loop('next_length', (next) => [
    i32Store(at(i32Add(state, i32Shl(length, 2)), regions.sortedStarts), start),
    set(ofLength, countOf(length)),
    set(start, i32Add(start, ofLength)),
    // Once below 0 it stays there: it has 17 bits at most.
    set(left, select(-1, i32Sub(i32Shl(left, 1), ofLength), i32LtS(left, 0))),
    set(longest, select(length, longest, ofLength)),
    increase(length, 1),
    branchIf(next, i32LeS(length, maxCodeLength)),
  ]),
  set(used, start),
];

const sortSymbols = countUp(symbol, symbols, 1, [
  set(length, i32Load8U(i32Add(lengths, symbol))),
  when(length, [
    set(slot, i32Add(state, i32Shl(length, 2))),
    set(start, i32Load(at(slot, regions.sortedStarts))),
    i32Store(at(slot, regions.sortedStarts), i32Add(start, 1)),
    i32Store16(at(i32Add(state, i32Shl(start, 1)), regions.sorted), symbol),
  ]),
]);

/** A code that leaves something free: one of one bit, or none, where that is allowed. */
const fillIncomplete = [
  set(entry, i32Add(i32Add(exceptional, entryFlags.invalid), 0x101)),
  i32Store(at(table, 4), entry),
  when(used, set(entry, i32Add(i32Load(entryOfSymbol()), 0x101))),
  i32Store(table, entry),
];

function entryOfSymbol() {
  const first = i32Load16U(at(state, regions.sorted));
  return i32Add(meanings, i32Shl(first, 2));
}

/** The next code of a prefix code, whose first bit is the lowest: 1 is added at the highest bit. */
const nextCode = [
  // The highest bit that is 0.
  set(step, i32ShrU(1 << 31, i32Clz(i32Xor(code, i32Sub(i32Shl(1, length), 1))))),
  set(code, i32Or(i32And(code, i32Sub(step, 1)), step)),
];
const isLastCode = i32Eq(code, i32Sub(i32Shl(1, length), 1));

const loadEntry = (codeBits: I32) => [
  set(entry, i32Load16U(at(sortedAt, regions.sorted))),
  increase(sortedAt, 2),
  set(entry, i32Add(i32Load(i32Add(meanings, i32Shl(entry, 2))), i32Mul(codeBits, 0x101))),
];

/** Twice as many entries: those that are there, once more. */
const doubleTable = [memoryCopy(entryAt(filled), table, i32Shl(filled, 2)), set(filled, i32Shl(filled, 1))];

/** Codes that fit the table, each once; doubling repeats them. Falls through where longer ones follow. */
const fillShortCodes = (done: Parameters<typeof branch>[0]) =>
  loop('next_length', (nextLength) => [
    set(ofLength, countOf(length)),
    when(
      ofLength,
      loop('next_symbol', (nextSymbol) => [
        loadEntry(length),
        i32Store(entryAt(code), entry),
        when(isLastCode, [
          loop('rest', (rest) => when(i32LtS(filled, i32Shl(1, tableBits)), [doubleTable, branch(rest)])),
          branch(done),
        ]),
        nextCode,
        set(ofLength, i32Sub(ofLength, 1)),
        branchIf(nextSymbol, ofLength),
      ]),
    ),
    increase(length, 1),
    when(i32LeS(length, tableBits), [doubleTable, branch(nextLength)]),
  ]);

/** Bits of the second table that begins with `code`: until its codes fill it. */
const measureSubtable = [
  set(subtableBits, i32Sub(length, tableBits)),
  set(left, ofLength),
  loop('wider', (wider) =>
    when(i32LtS(left, i32Shl(1, subtableBits)), [
      increase(subtableBits, 1),
      set(left, i32Add(i32Shl(left, 1), countOf(i32Add(tableBits, subtableBits)))),
      branch(wider),
    ]),
  ),
];

const beginSubtable = [
  set(subtablePrefix, slot),
  set(subtableStart, filled),
  measureSubtable,
  set(filled, i32Add(filled, i32Shl(1, subtableBits))),
  set(
    entry,
    i32Add(
      i32Add(exceptional, i32Add(tableBits, entryFlags.subtable)),
      i32Add(i32Shl(subtableStart, subtableStartShift), i32Shl(subtableBits, subtableBitsShift)),
    ),
  ),
  i32Store(entryAt(slot), entry),
];

const fillLongCodes = (done: Parameters<typeof branch>[0]) => [
  set(ofLength, countOf(length)),
  set(subtablePrefix, -1),
  loop('next_symbol', (nextSymbol) => [
    loop('skip', (skip) =>
      when(i32Eqz(ofLength), [increase(length, 1), set(ofLength, countOf(length)), branch(skip)]),
    ),
    set(slot, i32And(code, i32Sub(i32Shl(1, tableBits), 1))),
    when(i32Ne(slot, subtablePrefix), beginSubtable),
    loadEntry(i32Sub(length, tableBits)),
    set(start, i32Add(subtableStart, i32ShrU(code, tableBits))),
    set(step, i32Shl(1, i32Sub(length, tableBits))),
    loop('repeat', (repeat) => [
      i32Store(entryAt(start), entry),
      increase(start, step),
      branchIf(repeat, i32LtS(start, filled)),
    ]),
    branchIf(done, isLastCode),
    nextCode,
    set(ofLength, i32Sub(ofLength, 1)),
    branch(nextSymbol),
  ]),
];

/** `buildTable` of ../plain-tables.ts: the same table; 0 if there is no such code. */
export const buildTable = wasmFunction({
  name: 'build_table',
  params: [state, lengths, symbols, meanings, table, maxTableBits, exceptional, rule],
  locals: [
    ...[symbol, length, longest, left, used, start, slot, code, ofLength, entry, sortedAt],
    ...[tableBits, filled, subtableBits, subtablePrefix, subtableStart, step],
  ],
  body: [
    countLengths,
    measureCodes,
    block('done', (done) => [
      branchIf(done, i32LtS(left, 0)),
      sortSymbols,
      when(left, [
        // One code has to have one bit, which leaves half.
        branchIf(done, i32GtS(used, 1)),
        branchIf(done, i32And(i32Eq(used, 1), i32Ne(longest, 1))),
        branchIf(done, i32LtS(rule, i32Sub(2, used))),
        fillIncomplete,
        set(tableBits, 1),
        branch(done),
      ]),
      set(tableBits, select(maxTableBits, longest, i32LtS(maxTableBits, longest))),
      set(code, 0),
      set(filled, 2),
      set(length, 1),
      set(sortedAt, state),
      fillShortCodes(done),
      fillLongCodes(done),
    ]),
  ],
  result: tableBits,
});
