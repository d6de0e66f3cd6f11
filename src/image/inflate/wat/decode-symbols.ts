import {
  block,
  branch,
  branchIf,
  increase,
  type Label,
  loop,
  set,
  when,
} from '../../../lib/wasm-text/control.ts';
import { type Body, type I32, i32Local, i32Locals, i64Local } from '../../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../../lib/wasm-text/function.ts';
import {
  i32Add,
  i32And,
  i32Eqz,
  i32GeU,
  i32GtU,
  i32LtS,
  i32Shl,
  i32ShrU,
  i32Sub,
} from '../../../lib/wasm-text/integers.ts';
import { at, i32Load, i32Store16 } from '../../../lib/wasm-text/memory.ts';
import { inflateStatus, maxSymbolBytes, regions } from '../layout.ts';
import {
  baseShift,
  entryFlags,
  literalShift,
  literalTableBits,
  subtableBitsShift,
  subtableStartShift,
} from '../symbols.ts';
import { copyLocals, copyMatch, distance, length, output } from './copy-match.ts';
import {
  bits,
  consume,
  count,
  enter,
  entryOffset,
  fetch,
  fetchedBits,
  field,
  inputEnd,
  isBehindInput,
  leave,
  peek,
  position,
  setField,
  state,
  status,
  toEntryMask,
} from './state.ts';

const [entry, literalMask, distanceMask, outputEnd, historyStart] = i32Locals(
  'entry',
  'literalMask',
  'distanceMask',
  'outputEnd',
  'historyStart',
);
/** Input up to here holds a whole symbol for certain. */
const certainEnd = i32Local('certainEnd');
const [savedCount, savedPosition] = i32Locals('savedCount', 'savedPosition');
const savedBits = i64Local('savedBits');

/** Literals of one look-up that one fetch is enough for. */
const literalsPerFetch = Math.floor(fetchedBits / literalTableBits);

const tableEntry = (table: number, offset: I32) => i32Load(at(i32Add(state, offset), table));
const loadLiteralEntry = set(entry, tableEntry(regions.literalTable, entryOffset(literalMask)));
const isLiteral = i32LtS(entry, 0);

/** One literal, or two of a pair; a byte behind them is written too. */
const storeLiterals = [
  consume(entry),
  i32Store16(output, i32ShrU(entry, literalShift)),
  set(output, i32Add(i32Add(output, 1), i32And(i32ShrU(entry, 28), 1))),
];

/** The entry of a code that is longer than the table's bits, which are taken. */
const followSubtable = (table: number) => [
  consume(i32And(entry, 63)),
  set(
    entry,
    tableEntry(
      table,
      i32Shl(
        i32Add(
          i32And(i32ShrU(entry, subtableStartShift), 0x7fff),
          peek(i32And(i32ShrU(entry, subtableBitsShift), 15)),
        ),
        2,
      ),
    ),
  ),
];

/** What an entry stands for: the least, and its extra bits, which stand behind its code. */
const takeBaseAndExtra = (into: typeof length) => [
  set(into, i32Add(i32ShrU(entry, baseShift), i32ShrU(peek(entry), i32ShrU(entry, 8)))),
  consume(entry),
];

const isExceptional = i32And(entry, entryFlags.exceptional);
const isEndOfBlock = i32And(entry, entryFlags.endOfBlock);
const isSubtable = i32And(entry, entryFlags.subtable);

/** The distance of a match of `length`, of at most 28 bits. */
const takeDistance = (invalid: Label) => [
  set(entry, tableEntry(regions.distanceTable, entryOffset(distanceMask))),
  when(i32LtS(entry, 0), [
    branchIf(invalid, i32Eqz(isSubtable)),
    followSubtable(regions.distanceTable),
    branchIf(invalid, i32LtS(entry, 0)),
  ]),
  takeBaseAndExtra(distance),
];
const isTooFar = i32GtU(distance, i32Sub(output, historyStart));

/** Where decoding goes on, and why it ends. */
interface Exits {
  readonly next: Label;
  readonly ended: Label;
  readonly invalid: Label;
  readonly tooFar: Label;
}

/** Literals, for which one fetch is enough; with bits for a match again, it falls through at what is none. */
const takeLiterals = (next: Label) => {
  const more = (left: number): Body =>
    when(isLiteral, [storeLiterals, left === 1 ? branch(next) : [loadLiteralEntry, more(left - 1)]]);
  return when(isLiteral, [storeLiterals, loadLiteralEntry, more(literalsPerFetch - 1), fetch]);
};

/** An entry that is no literal: the second table, the end of the block, or none. Falls through at a length. */
const followExceptional = ({ ended, invalid }: Exits, onLiteral: Body) =>
  when(isExceptional, [
    branchIf(ended, isEndOfBlock),
    branchIf(invalid, i32Eqz(isSubtable)),
    followSubtable(regions.literalTable),
    when(isLiteral, onLiteral),
    branchIf(ended, isEndOfBlock),
    branchIf(invalid, isExceptional),
  ]);

/** Where input is certain: some literals, or a match. */
const takeFast = (exits: Exits) => [
  fetch,
  loadLiteralEntry,
  takeLiterals(exits.next),
  followExceptional(exits, [storeLiterals, branch(exits.next)]),
  takeBaseAndExtra(length),
  takeDistance(exits.invalid),
  branchIf(exits.tooFar, isTooFar),
  copyMatch,
  branch(exits.next),
];

/** Where input ends: a literal or a match, which is written once it is known to be there. */
const takeCarefully = (exits: Exits, needsInput: Label) => {
  // The first literal of a pair alone: the second may be behind the end.
  const takeLiteral = [
    consume(i32And(i32ShrU(entry, 8), 15)),
    branchIf(needsInput, isBehindInput),
    i32Store16(output, i32ShrU(entry, literalShift)),
    increase(output, 1),
    branch(exits.next),
  ];
  return [
    fetch,
    loadLiteralEntry,
    when(isLiteral, takeLiteral),
    followExceptional(exits, takeLiteral),
    takeBaseAndExtra(length),
    takeDistance(exits.invalid),
    branchIf(needsInput, isBehindInput),
    branchIf(exits.tooFar, isTooFar),
    copyMatch,
    branch(exits.next),
  ];
};

/** Symbols until one of the exits is taken, or output is full. */
const takeSymbols = (full: Label, exits: Omit<Exits, 'next'>, needsInput: Label) =>
  loop('next', (next) => [
    branchIf(full, i32GeU(output, outputEnd)),
    when(i32GtU(position, certainEnd), [
      set(savedBits, bits),
      set(savedCount, count),
      set(savedPosition, position),
      branchIf(needsInput, i32Eqz(field('isFinal'))),
      takeCarefully({ ...exits, next }, needsInput),
    ]),
    takeFast({ ...exits, next }),
  ]);

/** `decodeSymbols` of ../plain-inflater.ts. */
export const decodeSymbols = wasmFunction({
  name: 'decode_symbols',
  exported: true,
  params: [state],
  locals: [
    ...[count, position, inputEnd, status, entry, literalMask, distanceMask, output, outputEnd, historyStart],
    ...[certainEnd, savedCount, savedPosition, ...copyLocals, bits, savedBits],
  ],
  body: [
    enter,
    set(output, field('output')),
    set(outputEnd, field('outputEnd')),
    set(historyStart, field('historyStart')),
    set(literalMask, toEntryMask(field('literalBits'))),
    set(distanceMask, toEntryMask(field('distanceBits'))),
    set(certainEnd, i32Sub(inputEnd, maxSymbolBytes)),
    block('left', (left) => [
      block('needs_input', (needsInput) => [
        block('too_far', (tooFar) => [
          block('invalid', (invalid) => [
            block('ended', (ended) => [
              block('full', (full) => takeSymbols(full, { ended, invalid, tooFar }, needsInput)),
              set(status, inflateStatus.isFull),
              branch(left),
            ]),
            consume(entry),
            branchIf(needsInput, isBehindInput),
            set(status, inflateStatus.blockEnd),
            branch(left),
          ]),
          consume(entry),
          branchIf(needsInput, isBehindInput),
        ]),
        set(status, inflateStatus.invalid),
        branch(left),
      ]),
      // Undone, where it was begun.
      set(bits, savedBits),
      set(count, savedCount),
      set(position, savedPosition),
      set(status, inflateStatus.needsInput),
    ]),
    setField('output', output),
    leave,
  ],
  result: status,
});
