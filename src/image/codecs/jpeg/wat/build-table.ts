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
} from '../../../../lib/wasm-text/control.ts';
import { type Body, type I32, i32Locals } from '../../../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../../../lib/wasm-text/function.ts';
import {
  i32Add,
  i32And,
  i32Eq,
  i32Eqz,
  i32GtU,
  i32LeU,
  i32LtU,
  i32Ne,
  i32Or,
  i32Shl,
  i32ShrU,
  i32Sub,
} from '../../../../lib/wasm-text/integers.ts';
import { at, i32Load, i32Load16U, i32Store } from '../../../../lib/wasm-text/memory.ts';
import { blockEnd, blockEndBit, lookaheadBits, lookaheadSize, skipEnd, zeroRunOf16 } from '../huffman.ts';
import { tableKinds, tableLayout } from '../wasm/layout.ts';

const [table, kind, prefix] = i32Locals('table', 'kind', 'prefix');
/** An entry of the table's symbols, its size and all its bits, its value, whether it is an end. */
const [symbol, size, length, value, end] = i32Locals('symbol', 'size', 'length', 'value', 'end');

const indexed = (index: I32, shift: number) => i32Add(table, i32Shl(index, shift));
const symbolAt = (index: I32) => i32Load16U(at(indexed(index, 1), tableLayout.symbols));
const singleAt = (index: I32) => i32Load(at(indexed(index, 2), tableLayout.direct));
/** The bits behind `taken` bits; zeros stand for the unknown ones. */
const behind = (taken: I32) => i32And(i32Shl(prefix, taken), lookaheadSize - 1);

/**
 * A symbol and its value, if they lie whole in the look-ahead: `toSingle` of ../huffman.ts. In a refinement the value of
 * a new coefficient is one bit, its sign, whatever size the symbol names. Progressive scans leave out symbols that may
 * end many blocks, and DC has no symbol that ends a block.
 *
 * @see ITU-T T.81 F.2.2.1, G.1.2.2, G.1.2.3
 */
const single = wasmFunction({
  name: 'to_single',
  params: [table, kind, prefix],
  locals: [symbol, size, length, value, end],
  body: [
    set(symbol, symbolAt(prefix)),
    set(size, i32And(symbol, 15)),
    set(end, i32And(i32Eqz(size), i32Ne(i32And(symbol, 255), zeroRunOf16))),
    set(size, select(i32Ne(size, 0), size, i32Eq(kind, tableKinds.acRefinement))),
    set(length, i32Add(i32ShrU(symbol, 8), size)),
    set(value, i32And(i32ShrU(prefix, i32Sub(lookaheadBits, length)), i32Sub(i32Shl(1, size), 1))),
    when(i32LtU(value, i32ShrU(i32Shl(1, size), 1)), [set(value, i32Sub(value, i32Sub(i32Shl(1, size), 1)))]),
    set(
      value,
      i32Or(
        i32Or(i32Shl(value, 16), i32Shl(i32And(end, i32Ne(kind, tableKinds.dc)), blockEndBit)),
        i32Or(i32Shl(i32And(i32ShrU(symbol, 4), 15), 8), length),
      ),
    ),
    when(i32Or(i32Eqz(symbol), i32GtU(length, lookaheadBits)), set(value, 0)),
    when(i32And(i32GtU(kind, tableKinds.ac), i32And(end, i32Ne(i32And(symbol, 0xf0), 0))), set(value, 0)),
  ],
  result: value,
});

const [first, next, taken, advance, place, second] = i32Locals(
  'first',
  'next',
  'taken',
  'advance',
  'place',
  'second',
);

/** Whether `next`, behind `taken` bits, lies whole in the look-ahead. */
const fits = i32LeU(i32Add(taken, i32And(next, 63)), lookaheadBits);

/** Writes entry `prefix` of `pairs`, made from the singles in `direct`. */
const writePair = [
  set(first, singleAt(prefix)),
  set(taken, i32And(first, 63)),
  set(second, 0),
  when(
    i32And(first, blockEnd),
    set(first, i32Or(blockEnd, taken)),
    when(first, [
      set(second, i32ShrU(first, 16)),
      set(first, i32And(i32ShrU(first, 8), 15)),
      set(advance, i32Add(first, 1)),
      set(place, advance),
      set(next, singleAt(behind(taken))),
      when(i32And(i32And(i32Ne(next, 0), i32Eqz(i32And(next, blockEnd))), fits), [
        set(place, i32Add(advance, i32And(i32ShrU(next, 8), 15))),
        set(advance, i32Add(place, 1)),
        increase(taken, i32And(next, 63)),
        set(second, i32Or(second, i32And(next, 0xffff0000 | 0))),
        set(next, singleAt(behind(taken))),
      ]),
      set(end, 0),
      when(i32And(i32Ne(i32And(next, blockEnd), 0), fits), [
        increase(taken, i32And(next, 63)),
        set(end, blockEnd),
      ]),
      set(
        first,
        i32Or(i32Or(i32Or(taken, i32Shl(advance, 8)), end), i32Or(i32Shl(first, 18), i32Shl(place, 24))),
      ),
    ]),
  ),
  i32Store(at(indexed(prefix, 3), tableLayout.pairs), first),
  i32Store(at(indexed(prefix, 3), tableLayout.pairs + 4), second),
];

/** Writes entry `prefix` of the skips to `direct`: `toSkip` of ../huffman.ts. */
const writeSkip = [
  set(taken, 0),
  set(advance, 0),
  block('ended', (ended) =>
    loop('next_symbol', (nextSymbol) => [
      set(symbol, symbolAt(behind(taken))),
      set(size, i32And(symbol, 15)),
      set(length, i32Add(taken, i32Add(i32ShrU(symbol, 8), size))),
      // The first symbol's value may reach beyond the look-ahead, because a skip does not read it.
      branchIf(ended, i32Or(i32Eqz(symbol), i32And(i32GtU(length, lookaheadBits), i32Ne(taken, 0)))),
      set(taken, length),
      when(i32And(i32Eqz(size), i32Ne(i32And(symbol, 255), zeroRunOf16)), [
        set(advance, i32Or(advance, skipEnd >> 8)),
        branch(ended),
      ]),
      increase(advance, i32Add(i32And(i32ShrU(symbol, 4), 15), 1)),
      branchIf(nextSymbol, i32LeU(taken, lookaheadBits)),
    ]),
  ),
  i32Store(at(indexed(prefix, 2), tableLayout.direct), i32Or(i32Shl(advance, 8), taken)),
];

const eachPrefix = (body: Body) => countUp(prefix, lookaheadSize, 1, body);

/**
 * Makes the look-ups of a table (see ../wasm/tables.ts) from its symbols, which are in memory already.
 * `kind` is one of `tableKinds`.
 */
const buildTable = wasmFunction({
  name: 'build_scan_table',
  exported: true,
  params: [table, kind],
  locals: [prefix, first, next, taken, advance, place, second, end, symbol, size, length],
  body: [
    eachPrefix(i32Store(at(indexed(prefix, 2), tableLayout.direct), single.call(table, kind, prefix))),
    when(kind, eachPrefix(writePair)),
    when(i32Eq(kind, tableKinds.ac), eachPrefix(writeSkip)),
  ],
});

/** The order matters, because the second calls the first. */
export const scanTableFunctions = [single, buildTable];
