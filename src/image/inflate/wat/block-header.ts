import {
  block,
  branch,
  branchIf,
  increase,
  type Label,
  loop,
  select,
  set,
  when,
} from '../../../lib/wasm-text/control.ts';
import { type I32, i32Local, i32Locals } from '../../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../../lib/wasm-text/function.ts';
import {
  i32Add,
  i32And,
  i32Eq,
  i32Eqz,
  i32GtS,
  i32LtS,
  i32Ne,
  i32ShrU,
  i32Sub,
  i32Xor,
  i64Const,
} from '../../../lib/wasm-text/integers.ts';
import { at, i32Load, i32Load8U, i32Store8, memoryFill } from '../../../lib/wasm-text/memory.ts';
import { inflateStatus, maxHeaderBytes, regions } from '../layout.ts';
import {
  baseShift,
  distanceSymbols,
  distanceTableBits,
  endOfBlockSymbol,
  entryFlags,
  lengthCodeOrder,
  lengthCodeSymbols,
  lengthCodeTableBits,
  literalSymbols,
  literalTableBits,
  maxDeclaredDistances,
  maxDeclaredLiterals,
} from '../symbols.ts';
import { buildTable, codeRule } from './huffman-table.ts';
import {
  bits,
  bytesLeft,
  consume,
  count,
  enter,
  entryOffset,
  fetch,
  field,
  inputEnd,
  isBehindInput,
  leave,
  peek,
  position,
  region,
  setField,
  state,
  status,
  toEntryMask,
} from './state.ts';

const type = i32Local('type');
/**
 * Numbers of codes that a block declares: for literals and lengths, for distances, for lengths of codes; the first
 * two added.
 */
const [literals, distances, lengthCodes, total] = i32Locals('literals', 'distances', 'lengthCodes', 'total');
/** Lengths that are known; one that is read, and how often it comes; the mask of the table it is read by. */
const [filled, symbol, times, mask, tableBits, entry] = i32Locals(
  'filled',
  'symbol',
  'times',
  'mask',
  'tableBits',
  'entry',
);

const take = (into: typeof type, amount: number) => [set(into, peek(amount)), consume(amount)];

/** @see RFC 1951 3.2.4 */
const readStoredLength = (invalid: Label) => [
  consume(i32And(i32Sub(count, 2), 7)),
  fetch,
  take(total, 16),
  take(times, 16),
  // Whole bytes go back: what is stored is copied from there.
  set(position, i32Sub(position, bytesLeft)),
  set(bits, i64Const(0n)),
  set(count, 2),
  branchIf(invalid, i32Ne(i32Xor(total, times), 0xffff)),
  setField('storedLeft', total),
  set(status, inflateStatus.stored),
];

/** Tables from `literals` and `distances` lengths at these addresses. */
const buildTables = (literalLengths: I32, distanceLengths: I32, invalid: Label) => [
  set(
    tableBits,
    buildTable.call(
      ...([state, literalLengths, literals, region('literalMeanings'), region('literalTable')] as const),
      ...([literalTableBits, entryFlags.exceptional, codeRule.completeOrOne] as const),
    ),
  ),
  setField('literalBits', tableBits),
  branchIf(invalid, i32Eqz(tableBits)),
  set(
    tableBits,
    buildTable.call(
      ...([state, distanceLengths, distances, region('distanceMeanings'), region('distanceTable')] as const),
      ...([distanceTableBits, entryFlags.exceptionalDistance | 0, codeRule.completeOrOneOrNone] as const),
    ),
  ),
  setField('distanceBits', tableBits),
  branchIf(invalid, i32Eqz(tableBits)),
];

const useFixedCodes = (invalid: Label) =>
  when(i32Eqz(field('hasFixedTables')), [
    set(literals, literalSymbols),
    set(distances, distanceSymbols),
    buildTables(region('fixedLengths'), i32Add(region('fixedLengths'), literalSymbols), invalid),
    setField('hasFixedTables', 1),
  ]);

/** A length, or a repetition, by the table of codes for lengths, which stands where that of distances will. */
const takeLengthSymbol = [
  fetch,
  set(entry, i32Load(at(i32Add(state, entryOffset(mask)), regions.distanceTable))),
  consume(i32And(entry, 63)),
  set(symbol, i32ShrU(entry, baseShift)),
];

/** How often the last length, or 0, comes. */
const takeRepetition = [
  when(
    i32Eq(symbol, 16),
    [take(times, 2), increase(times, 3)],
    when(i32Eq(symbol, 17), [take(times, 3), increase(times, 3)], [take(times, 7), increase(times, 11)]),
  ),
];

const lengthAt = (index: I32) => i32Add(state, index);

const readLengths = (invalid: Label) => [
  set(filled, 0),
  block('read', (read) =>
    loop('next', (next) => [
      branchIf(read, i32Eqz(i32LtS(filled, total))),
      takeLengthSymbol,
      when(i32LtS(symbol, 16), [
        i32Store8(at(lengthAt(filled), regions.lengths), symbol),
        increase(filled, 1),
        branch(next),
      ]),
      branchIf(invalid, i32And(i32Eq(symbol, 16), i32Eqz(filled))),
      takeRepetition,
      branchIf(invalid, i32GtS(i32Add(filled, times), total)),
      // The length before, which of the first is none.
      set(symbol, select(i32Load8U(at(lengthAt(filled), regions.lengths - 1)), 0, i32Eq(symbol, 16))),
      memoryFill(i32Add(lengthAt(filled), regions.lengths), symbol, times),
      set(filled, i32Add(filled, times)),
      branch(next),
    ]),
  ),
];

/** Lengths of the codes for lengths: 3 bits each, of 17 a fetch at most. */
const readLengthCodes = [
  memoryFill(region('lengthCodeLengths'), 0, lengthCodeSymbols),
  lengthCodeOrder.map((code, index) =>
    when(i32GtS(lengthCodes, index), [
      index % 16 === 0 ? fetch : [],
      take(symbol, 3),
      i32Store8(at(state, regions.lengthCodeLengths + code), symbol),
    ]),
  ),
];

/** @see RFC 1951 3.2.7 */
const readCodes = (invalid: Label) => [
  take(literals, 5),
  increase(literals, 257),
  take(distances, 5),
  increase(distances, 1),
  take(lengthCodes, 4),
  increase(lengthCodes, 4),
  branchIf(invalid, i32GtS(literals, maxDeclaredLiterals)),
  branchIf(invalid, i32GtS(distances, maxDeclaredDistances)),
  readLengthCodes,
  setField('hasFixedTables', 0),
  set(
    tableBits,
    buildTable.call(
      ...([state, region('lengthCodeLengths'), lengthCodeSymbols, region('lengthCodeMeanings')] as const),
      ...([region('distanceTable'), lengthCodeTableBits, 0, codeRule.complete] as const),
    ),
  ),
  branchIf(invalid, i32Eqz(tableBits)),
  set(mask, toEntryMask(tableBits)),
  set(total, i32Add(literals, distances)),
  readLengths(invalid),
  branchIf(invalid, i32Eqz(i32Load8U(at(state, regions.lengths + endOfBlockSymbol)))),
  buildTables(region('lengths'), i32Add(region('lengths'), literals), invalid),
];

/** `readBlockHeader` of ../plain-inflater.ts. */
export const readBlockHeader = wasmFunction({
  name: 'read_block_header',
  exported: true,
  params: [state],
  locals: [
    ...[count, position, inputEnd, status, type, literals, distances, lengthCodes, total],
    ...[filled, symbol, times, mask, tableBits, entry, bits],
  ],
  body: [
    enter,
    set(status, inflateStatus.needsInput),
    block('done', (done) => [
      branchIf(done, i32And(i32LtS(i32Sub(inputEnd, position), maxHeaderBytes), i32Eqz(field('isFinal')))),
      block('invalid', (invalid) => [
        fetch,
        setField('isLastBlock', peek(1)),
        consume(1),
        take(type, 2),
        set(status, inflateStatus.coded),
        branchIf(invalid, i32Eq(type, 3)),
        when(
          type,
          when(i32Eq(type, 1), useFixedCodes(invalid), readCodes(invalid)),
          readStoredLength(invalid),
        ),
        // What is not there, and what was made of it, is not believed.
        when(isBehindInput, [set(status, inflateStatus.needsInput), branch(done)]),
        leave,
        branch(done),
      ]),
      set(status, select(inflateStatus.needsInput, inflateStatus.invalid, isBehindInput)),
    ]),
  ],
  result: status,
});
