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
  i32GeS,
  i32GtS,
  i32GtU,
  i32LtS,
  i32LtU,
  i32Ne,
  i32Shl,
  i32ShrS,
  i32ShrU,
  i32Sub,
  i32WrapI64,
  i64And,
  i64Ctz,
  i64Eqz,
  i64ExtendI32U,
  i64Or,
  i64Popcnt,
  i64Shl,
  i64ShrU,
  i64Sub,
  i64Xor,
} from '../../../../lib/wasm-text/integers.ts';
import { i32Load8U, i32Load16S, i32Store16 } from '../../../../lib/wasm-text/memory.ts';
import { blockEnd } from '../huffman.ts';
import { consume, consumeEntry, directEntry, fetch, lookupsPerFetch, part, readSymbol } from './entropy.ts';
import { toScanFunction } from './mcu-loop.ts';
import {
  both,
  coefficientAt,
  coefficients,
  enterBlock,
  from,
  isBehindBand,
  k,
  readBit,
  readEndOfBandRun,
  takePair,
} from './progressive-scan.ts';
import { bits, entry, scanLocals, size, symbol, value } from './scan-locals.ts';
import { band, findZeros, listZeros, zero, zeroListLocals, zeros } from './zero-list.ts';

const { block, mcu, shift, spectralStart, endOfBandRun } = scanLocals;
/** The number that a correction adds to a positive coefficient, and to a negative one. */
const [bit, minusBit] = i32Locals('bit', 'minusBit');
/** Zeros still to skip; a new coefficient, or 0; `endOfBandRun` before the MCU. */
const [run, fresh, savedRun] = i32Locals('run', 'fresh', 'savedRun');
/**
 * A zero's position minus its address in the list grows by one with each coefficient that is not zero. `ahead` is this
 * difference where corrections were last queued, and `aheadEnd` is it behind all of them. `corrections` is the number of
 * all corrections, and `more` the number of the next ones.
 */
const [ahead, aheadEnd, corrections, more] = i32Locals('ahead', 'aheadEnd', 'corrections', 'more');
/** A bit for each coefficient of the band that is not zero; the queue of corrections, with the last one lowest. */
const [coded, queue] = i64Locals('coded', 'queue');

/** More corrections than this might not be in `bits`, because a symbol may have taken 17 of the fetched bits. */
const mostAtOnce = 32;

/** Moves the next `more` corrections, possibly none, to `queue`. */
const queueCorrections = [
  when(i32GtU(more, mostAtOnce), [
    fetch,
    set(queue, i64Or(i64Shl(queue, BigInt(mostAtOnce)), i64ShrU(bits, BigInt(64 - mostAtOnce)))),
    consume(mostAtOnce),
    set(more, i32Sub(more, mostAtOnce)),
    fetch,
  ]),
  // Two shifts, because WebAssembly takes a shift by 64 as one by 0.
  set(
    queue,
    i64Or(i64Shl(queue, i64ExtendI32U(more)), i64ShrU(i64ShrU(bits, 1n), i64ExtendI32U(i32Sub(63, more)))),
  ),
  consume(more),
];

/** Reads the next run into `run`, and the coefficient behind it into `fresh`. Branches to `ended` if the band ends. */
const readRun = (ended: Label, giveUp: Label) => [
  fetch,
  set(entry, directEntry),
  blockOf('known', (known) => [
    when(entry, [
      consumeEntry(i64ExtendI32U(entry)),
      when(i32And(entry, blockEnd), [set(endOfBandRun, 1), branch(ended)]),
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
      when(i32LtU(run, 15), [readEndOfBandRun(0), branch(ended)]),
    ),
  ]),
];

/** Reads new coefficients, and corrections of the old ones before them, as long as there are old ones. */
const refineBand = (ended: Label, giveUp: Label) => [
  listZeros,
  loop('next_symbol', (nextSymbol) => [
    readRun(ended, giveUp),
    increase(zero, run),
    set(k, i32Load8U(zero)),
    set(more, i32Sub(k, i32Add(zero, ahead))),
    increase(ahead, more),
    queueCorrections,
    when(fresh, [branchIf(giveUp, isBehindBand(k)), i32Store16(coefficientAt(k), fresh)]),
    increase(zero, 1),
    increase(k, 1),
    branchIf(ended, isBehindBand(k)),
    branchIf(nextSymbol, i32Ne(ahead, aheadEnd)),
  ]),
];

/** Reads new coefficients behind all old ones, as in a first scan, except that each has one bit. */
const readRest = (ended: Label, giveUp: Label) =>
  loop('next_fresh', (nextFresh) => [
    branchIf(ended, isBehindBand(k)),
    fetch,
    blockOf('one_symbol', (oneSymbol) => [
      takePair(oneSymbol, ended),
      repeat(lookupsPerFetch - 1, () => [branchIf(ended, isBehindBand(k)), takePair(nextFresh, ended)]),
      branch(nextFresh),
    ]),
    readSymbol(giveUp),
    set(run, i32ShrU(symbol, 4)),
    when(i32Eqz(i32And(symbol, 15)), [
      when(i32LtU(run, 15), [readEndOfBandRun(0), branch(ended)]),
      increase(k, 16),
      branch(nextFresh),
    ]),
    increase(k, run),
    branchIf(giveUp, isBehindBand(k)),
    readBit(fresh),
    i32Store16(coefficientAt(k), select(bit, minusBit, fresh)),
    increase(k, 1),
    branch(nextFresh),
  ]);

/**
 * Applies one correction to each of `coded`, in order. A coefficient that already has the bit does not change, as in
 * libjpeg. No branch depends on the bit, because the CPU cannot predict it.
 */
const correct = [
  set(queue, i64Shl(queue, i64ExtendI32U(i32Sub(64, corrections)))),
  blockOf('corrected', (corrected) =>
    loop('next_coded', (nextCoded) => [
      branchIf(corrected, i64Eqz(coded)),
      set(from, coefficientAt(i32WrapI64(i64Ctz(coded)))),
      set(coded, i64And(coded, i64Sub(coded, 1n))),
      set(value, i32Load16S(from)),
      set(size, i32And(i32WrapI64(i64ShrU(queue, 63n)), i32Eqz(i32And(value, bit)))),
      set(queue, i64Shl(queue, 1n)),
      i32Store16(from, i32Add(value, i32And(i32Sub(0, size), select(bit, minusBit, i32GtS(value, 0))))),
      branch(nextCoded),
    ]),
  ),
];

/** Whether the block is in the crop. Outside the crop it only matters which coefficients are zero. */
const isNeeded = i32And(i32GeS(mcu, part('blockLeft')), i32LtS(mcu, part('blockRight')));

/** Zeroes the new coefficients of an MCU that is given up. Decoding it again depends on nothing else. */
const clearFresh = blockOf('cleared', (cleared) =>
  loop('next_zero', (nextZero) => [
    branchIf(cleared, i64Eqz(zeros)),
    i32Store16(coefficientAt(i32WrapI64(i64Ctz(zeros))), 0),
    set(zeros, i64And(zeros, i64Sub(zeros, 1n))),
    branch(nextZero),
  ]),
);

/**
 * Further scans of AC coefficients: `decodeAcRefinement` of src/image/codecs/jpeg/progressive-block.ts. In the data,
 * corrections stand between symbols. The routine puts them in a queue, at most 63, and applies them after the whole block
 * is read, so that reading does not wait for them.
 *
 * @see ITU-T T.81 G.1.2.3
 */
export const decodeAcRefinement = toScanFunction({
  name: 'decode_ac_refinement',
  reads: ['block', 'spectralStart', 'spectralEnd', 'shift', 'endOfBandRun'],
  writes: ['endOfBandRun'],
  locals: [
    ...[coefficients, k, from, both, bit, minusBit, run, fresh, savedRun],
    ...[ahead, aheadEnd, corrections, more, coded, queue],
    ...zeroListLocals,
  ],
  decodeMcu: (giveUp) => [
    enterBlock,
    findZeros,
    set(zeros, i64And(zeros, band)),
    set(coded, i64Xor(zeros, band)),
    set(corrections, i32WrapI64(i64Popcnt(coded))),
    set(ahead, i32Sub(spectralStart, block)),
    set(aheadEnd, i32Add(ahead, corrections)),
    set(bit, i32Shl(1, shift)),
    set(minusBit, i32Sub(0, bit)),
    when(
      i32Eqz(endOfBandRun),
      blockOf('ended', (ended) => [when(corrections, refineBand(ended, giveUp)), readRest(ended, giveUp)]),
    ),
    when(endOfBandRun, [
      fetch,
      set(more, i32Sub(aheadEnd, ahead)),
      queueCorrections,
      set(endOfBandRun, i32Sub(endOfBandRun, 1)),
    ]),
    when(isNeeded, correct),
  ],
  save: set(savedRun, endOfBandRun),
  restore: [set(endOfBandRun, savedRun), clearFresh],
});
