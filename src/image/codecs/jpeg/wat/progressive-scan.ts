import {
  block as blockOf,
  branch,
  branchIf,
  increase,
  type Label,
  loop,
  repeat,
  select,
  set,
  when,
} from '../../../../lib/wasm-text/control.ts';
import { type I32, i32Locals } from '../../../../lib/wasm-text/expression.ts';
import {
  i32Add,
  i32And,
  i32Eqz,
  i32Extend16S,
  i32GtS,
  i32GtU,
  i32Ne,
  i32Or,
  i32Shl,
  i32ShrS,
  i32ShrU,
  i32Sub,
  i32WrapI64,
  i64ShrU,
} from '../../../../lib/wasm-text/integers.ts';
import { i32Load16U, i32Store16 } from '../../../../lib/wasm-text/memory.ts';
import { blockEnd, blockEndBit, zeroRunOf16 } from '../huffman.ts';
import { coefficientsBytes, scanLayout } from '../wasm/layout.ts';
import {
  consume,
  consumeEntry,
  decodeDc,
  fetch,
  firstBits,
  lookupsPerFetch,
  pairEntry,
  part,
  readSymbol,
  readValue,
} from './entropy.ts';
import { eachBlock, restorePredictions, savePredictions, toScanFunction } from './mcu-loop.ts';
import {
  component,
  entry,
  next,
  pair,
  row,
  scan,
  scanLocals,
  size,
  symbol,
  table,
  value,
  x,
} from './scan-locals.ts';

const { block, mcu, shift, spectralStart, spectralEnd, endOfBandRun } = scanLocals;
/** Address of the block's coefficients, index of one of them, address of one. */
export const [coefficients, k, from] = i32Locals('at', 'k', 'from');
/** Both values of a pair; `endOfBandRun` before the MCU. */
export const [both, savedRun] = i32Locals('both', 'savedRun');

const blockShift = Math.log2(coefficientsBytes);

export const coefficientAt = (index: I32) => i32Add(coefficients, i32Shl(index, 1));
const blockAt = (rowOfBlocks: I32, index: I32) => i32Add(rowOfBlocks, i32Shl(index, blockShift));
export const readBit = (into: typeof value) => [set(into, firstBits(1)), consume(1)];
export const isBehindBand = (index: I32) => i32GtU(index, spectralEnd);

/** First scan of DC. @see ITU-T T.81 G.1.2.1 */
export const decodeDcFirst = toScanFunction({
  name: 'decode_dc_first',
  reads: ['shift'],
  locals: [],
  decodeMcu: (giveUp) =>
    eachBlock([decodeDc(giveUp), i32Store16(blockAt(row, x), i32Shl(part('prediction'), shift))]),
  save: savePredictions,
  restore: restorePredictions,
});

/** One more bit of each DC. @see ITU-T T.81 G.1.2.1.1 */
export const decodeDcRefinement = toScanFunction({
  name: 'decode_dc_refinement',
  reads: ['shift'],
  locals: [coefficients],
  decodeMcu: () =>
    eachBlock([
      fetch,
      set(coefficients, blockAt(row, x)),
      readBit(value),
      i32Store16(coefficients, i32Or(i32Load16U(coefficients), i32Shl(value, shift))),
    ]),
  save: [],
  restore: [],
});

/** The scan's one component, and the block's coefficients; a scan of AC has no more. @see ITU-T T.81 G.1.1.1.1 */
export const enterBlock = [
  set(component, i32Add(scan, scanLayout.components)),
  set(table, part('ac')),
  set(coefficients, blockAt(part('rows'), mcu)),
  set(k, spectralStart),
];

/** Sets `endOfBandRun` to the number of blocks that `symbol` and the bits behind it give, minus `less`. */
export const readEndOfBandRun = (less: number) => [
  set(size, i32ShrU(symbol, 4)),
  set(endOfBandRun, i32Sub(i32Shl(1, size), less)),
  when(size, [increase(endOfBandRun, firstBits(size)), consume(size)]),
];

/** Stores `value` where an entry says, unless it is 0, which means that there is no coefficient. */
const storeValue = (offsetShift: number, mask: number) =>
  i32Store16(
    select(i32Add(from, i32And(i32ShrU(entry, offsetShift), mask)), block, value),
    i32Shl(value, shift),
  );

/** Takes one or two coefficients, if a look-up holds them and they lie in the band. Else branches to `otherwise`. */
export const takePair = (otherwise: Label, band: Label) => {
  // If the band is full, an end that follows belongs to the next block.
  const endOfEntry = i32Add(next, i32And(i32ShrU(entry, blockEndBit), 1));
  return [
    set(pair, pairEntry),
    set(entry, i32WrapI64(pair)),
    set(next, i32Add(k, i32And(i32ShrU(entry, 8), 63))),
    branchIf(otherwise, i32Or(i32Eqz(entry), i32GtS(endOfEntry, i32Add(spectralEnd, 1)))),
    consumeEntry(pair),
    set(from, coefficientAt(k)),
    set(both, i32WrapI64(i64ShrU(pair, 32n))),
    set(value, i32Extend16S(both)),
    storeValue(17, 0x1e),
    set(value, i32ShrS(both, 16)),
    storeValue(23, 0x3e),
    set(k, next),
    branchIf(band, i32And(entry, blockEnd)),
  ];
};

const decodeBand = (giveUp: Label) =>
  blockOf('band', (band) =>
    loop('next_ac', (nextAc) => [
      branchIf(band, isBehindBand(k)),
      fetch,
      blockOf('one_symbol', (oneSymbol) => [
        takePair(oneSymbol, band),
        repeat(lookupsPerFetch - 1, () => [branchIf(band, isBehindBand(k)), takePair(nextAc, band)]),
        branch(nextAc),
      ]),
      readSymbol(giveUp),
      set(size, i32And(symbol, 15)),
      when(i32Eqz(size), [
        when(i32Ne(symbol, zeroRunOf16), [readEndOfBandRun(1), branch(band)]),
        increase(k, 16),
        branch(nextAc),
      ]),
      increase(k, i32ShrU(symbol, 4)),
      branchIf(giveUp, isBehindBand(k)),
      readValue,
      i32Store16(coefficientAt(k), i32Shl(value, shift)),
      increase(k, 1),
      branch(nextAc),
    ]),
  );

/**
 * First scan of AC coefficients: `decodeAcFirst` of src/image/codecs/jpeg/progressive-block.ts.
 *
 * @see ITU-T T.81 G.1.2.2
 */
export const decodeAcFirst = toScanFunction({
  name: 'decode_ac_first',
  reads: ['block', 'spectralStart', 'spectralEnd', 'shift', 'endOfBandRun'],
  writes: ['endOfBandRun'],
  locals: [coefficients, k, from, both, savedRun],
  decodeMcu: (giveUp) =>
    when(endOfBandRun, set(endOfBandRun, i32Sub(endOfBandRun, 1)), [enterBlock, decodeBand(giveUp)]),
  save: set(savedRun, endOfBandRun),
  restore: set(endOfBandRun, savedRun),
});
