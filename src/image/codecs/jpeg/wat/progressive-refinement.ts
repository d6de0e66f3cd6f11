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
import { i32Locals, i64Locals } from '../../../../lib/wasm-text/expression.ts';
import {
  i32Add,
  i32And,
  i32Eqz,
  i32GeU,
  i32GtS,
  i32LtU,
  i32Shl,
  i32ShrS,
  i32ShrU,
  i32Sub,
  i32WrapI64,
  i64Const,
  i64Ctz,
  i64ExtendI32U,
  i64Or,
  i64Shl,
  i64ShrU,
} from '../../../../lib/wasm-text/integers.ts';
import { at, i32Load16S, i32Store16, v128Load, v128Store } from '../../../../lib/wasm-text/memory.ts';
import { i16x8Bitmask, i16x8Const, i16x8Ne } from '../../../../lib/wasm-text/vectors.ts';
import { blockEnd } from '../huffman.ts';
import { coefficientsBytes } from '../wasm/layout.ts';
import { consumeEntry, directEntry, fetch, readSymbol } from './entropy.ts';
import { toScanFunction } from './mcu-loop.ts';
import {
  coefficientAt,
  coefficients,
  enterBlock,
  from,
  isBehindBand,
  k,
  readBit,
  readEndOfBandRun,
} from './progressive-scan.ts';
import { entry, next, scanLocals, size, symbol, value } from './scan-locals.ts';

const { block, count, shift, spectralEnd, endOfBandRun } = scanLocals;
/** What a correction adds to a positive coefficient, and to a negative one. */
const [bit, minusBit] = i32Locals('bit', 'minusBit');
/** Zeros still to pass; zeros up to the next coefficient; index behind the band; a new coefficient, or 0. */
const [run, zeros, bandEnd, fresh] = i32Locals('run', 'zeros', 'bandEnd', 'fresh');
const [savedRun] = i32Locals('savedRun');
/** A bit for each coefficient that is not zero. */
const [coded] = i64Locals('coded');

const vectorsPerBlock = coefficientsBytes / 16;

const findCoded = [
  set(coded, i64Const(0n)),
  repeat(vectorsPerBlock, (index) => {
    const isCoded = i16x8Bitmask(i16x8Ne(v128Load(at(coefficients, index * 16)), i16x8Const(0)));
    return set(coded, i64Or(coded, i64Shl(i64ExtendI32U(isCoded), BigInt(index * 8))));
  }),
];

/** Index of the next coefficient that is not zero, from `k` on, which is 63 at most; more than 63 if there is none. */
const nextCoded = i32Add(k, i32WrapI64(i64Ctz(i64ShrU(coded, i64ExtendI32U(k)))));

/**
 * One correction bit for coefficient `k`; one that has it already is left alone, as in libjpeg. No branch depends on
 * the bit, which nothing foretells.
 */
const refine = [
  when(i32Eqz(count), fetch),
  readBit(size),
  set(from, coefficientAt(k)),
  set(value, i32Load16S(from)),
  set(size, i32And(size, i32Eqz(i32And(value, bit)))),
  i32Store16(from, i32Add(value, i32And(i32Sub(0, size), select(bit, minusBit, i32GtS(value, 0))))),
  increase(k, 1),
];

/** On by `run` coefficients that are still zero, refining the others on the way: to the next zero, or behind the band. */
const passRun = blockOf('passed', (passed) =>
  loop('next_coded', (nextOne) => [
    set(next, nextCoded),
    set(next, select(next, bandEnd, i32LtU(next, bandEnd))),
    set(zeros, i32Sub(next, k)),
    when(i32LtU(run, zeros), [increase(k, run), branch(passed)]),
    set(run, i32Sub(run, zeros)),
    set(k, next),
    branchIf(passed, i32GeU(k, bandEnd)),
    refine,
    branchIf(nextOne, i32LtU(k, bandEnd)),
  ]),
);

/** The next run into `run`, and the coefficient behind it into `fresh`; on to `band` where the band ends. */
const readRun = (band: Label, giveUp: Label) => [
  fetch,
  set(entry, directEntry),
  blockOf('known', (known) => [
    when(entry, [
      consumeEntry(i64ExtendI32U(entry)),
      when(i32And(entry, blockEnd), [set(endOfBandRun, 1), branch(band)]),
      set(run, i32And(i32ShrU(entry, 8), 15)),
      set(fresh, i32Shl(i32ShrS(entry, 16), shift)),
      branch(known),
    ]),
    readSymbol(giveUp),
    set(run, i32ShrU(symbol, 4)),
    set(fresh, 0),
    when(
      i32And(symbol, 15),
      [readBit(fresh), set(fresh, select(bit, minusBit, fresh))],
      when(i32LtU(run, 15), [readEndOfBandRun(0), branch(band)]),
    ),
  ]),
];

const refineBand = (giveUp: Label) =>
  blockOf('band', (band) => [
    branchIf(band, endOfBandRun),
    loop('next_symbol', (nextSymbol) => [
      readRun(band, giveUp),
      passRun,
      when(fresh, [branchIf(giveUp, isBehindBand(k)), i32Store16(coefficientAt(k), fresh)]),
      increase(k, 1),
      branchIf(nextSymbol, i32LtU(k, bandEnd)),
    ]),
  ]);

/** What is left of a band that has ended: no new coefficients, corrections of the old ones. */
const refineRest = [
  blockOf('refined', (refined) =>
    loop('next_old', (nextOld) => [
      branchIf(refined, i32GeU(k, bandEnd)),
      set(k, nextCoded),
      branchIf(refined, i32GeU(k, bandEnd)),
      refine,
      branch(nextOld),
    ]),
  ),
  set(endOfBandRun, i32Sub(endOfBandRun, 1)),
];

const copyBlock = (source: typeof block, target: typeof block) =>
  repeat(vectorsPerBlock, (index) => v128Store(at(target, index * 16), v128Load(at(source, index * 16))));

/**
 * Further scans of AC coefficients: `decodeAcRefinement` of src/image/codecs/jpeg/progressive-block.ts.
 *
 * @see ITU-T T.81 G.1.2.3
 */
export const decodeAcRefinement = toScanFunction({
  name: 'decode_ac_refinement',
  reads: ['block', 'spectralStart', 'spectralEnd', 'shift', 'endOfBandRun'],
  writes: ['endOfBandRun'],
  locals: [coefficients, k, from, bit, minusBit, run, zeros, bandEnd, fresh, savedRun, coded],
  decodeMcu: (giveUp) => [
    enterBlock,
    copyBlock(coefficients, block),
    findCoded,
    set(bit, i32Shl(1, shift)),
    set(minusBit, i32Sub(0, bit)),
    set(bandEnd, i32Add(spectralEnd, 1)),
    refineBand(giveUp),
    when(endOfBandRun, refineRest),
  ],
  save: set(savedRun, endOfBandRun),
  restore: [set(endOfBandRun, savedRun), copyBlock(block, coefficients)],
});
