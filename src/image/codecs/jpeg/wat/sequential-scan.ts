import {
  block as blockOf,
  branch,
  branchIf,
  increase,
  type Label,
  loop,
  repeat,
  set,
  when,
} from '../../../../lib/wasm-text/control.ts';
import { type I32, i32Locals } from '../../../../lib/wasm-text/expression.ts';
import {
  i32Add,
  i32And,
  i32Eqz,
  i32Extend16S,
  i32GeS,
  i32GeU,
  i32GtU,
  i32LtS,
  i32LtU,
  i32Mul,
  i32Ne,
  i32Or,
  i32Shl,
  i32ShrS,
  i32ShrU,
  i32WrapI64,
  i64ExtendI32U,
  i64ShrU,
} from '../../../../lib/wasm-text/integers.ts';
import { i32Load, i32Store16, memoryFill } from '../../../../lib/wasm-text/memory.ts';
import { blockSize } from '../frame.ts';
import { blockEnd, lookaheadBits, skipEnd, zeroRunOf16 } from '../huffman.ts';
import { divisorShift } from '../wasm/quantization.ts';
import { dc, out, side, stride, transform, writeFlat } from './block-output.ts';
import {
  consume,
  consumeEntry,
  decodeDc,
  directEntry,
  fetch,
  fetchedBits,
  lookupsPerFetch,
  pairEntry,
  part,
  readSymbol,
  readValue,
} from './entropy.ts';
import { eachBlock, restorePredictions, savePredictions, toScanFunction } from './mcu-loop.ts';
import { entry, next, pair, row, scanLocals, size, symbol, table, value, x } from './scan-locals.ts';

const { block } = scanLocals;
/** Index of the next coefficient; index of the last one that is needed; not zero once an AC coefficient is not zero. */
const [k, lastKept, anyCoefficient] = i32Locals('k', 'lastKept', 'last');
/** Address of the block's steps; address of the step that an entry counts from; a step; a value times its divisor. */
const [steps, from, step, product] = i32Locals('steps', 'from', 'step', 'product');

/** A skip consumes at most the look-ahead, and up to 15 bits of a value behind it. */
const skipsPerFetch = Math.floor(fetchedBits / (lookaheadBits + 15));

const divisor = (of: I32) => i32ShrU(of, divisorShift);

/** Stores `decoded` as the coefficient of `ofStep`, an entry of `placeSteps`. The step's offset stays within `block`. */
const storeCoefficient = (ofStep: I32, decoded: I32) => [
  set(step, ofStep),
  set(product, i32Mul(decoded, divisor(step))),
  i32Store16(i32Add(block, i32And(step, (1 << divisorShift) - 1)), product),
  set(anyCoefficient, i32Or(anyCoefficient, product)),
];

/** Whether all symbols of an entry belong to this block. The last may belong to the next block. */
const isInside = i32And(i32Ne(entry, 0), i32LtU(next, blockSize));

/** Takes one or two coefficients, if a look-up holds them. Else branches to `otherwise`. */
const takePair = (otherwise: Label, kept: Label) => {
  const stepAt = (shift: number, mask: number) => i32Load(i32Add(from, i32And(i32ShrU(entry, shift), mask)));
  return [
    set(pair, pairEntry),
    set(entry, i32WrapI64(pair)),
    set(next, i32Add(k, i32And(i32ShrU(entry, 8), 63))),
    branchIf(otherwise, i32Eqz(isInside)),
    consumeEntry(pair),
    set(from, i32Add(steps, i32Shl(k, 2))),
    set(value, i32WrapI64(i64ShrU(pair, 32n))),
    storeCoefficient(stepAt(16, 0x3c), i32Extend16S(value)),
    storeCoefficient(stepAt(22, 0x7c), i32ShrS(value, 16)),
    set(k, next),
    when(i32And(entry, blockEnd), [set(k, blockSize), branch(kept)]),
  ];
};

/**
 * Decodes AC coefficients up to `lastKept`, two from one look-up if it holds both, and leaves the next index in `k`.
 * Values behind `lastKept`, and values that are no coefficients, go to a place that nobody reads. Damaged data may take
 * `k` to 63 + 15, which the steps cover.
 *
 * @see ITU-T T.81 F.2.2.2, figure F.13
 */
const decodeAc = (giveUp: Label) =>
  blockOf('kept', (kept) =>
    loop('next_ac', (nextAc) => [
      branchIf(kept, i32GtU(k, lastKept)),
      fetch,
      blockOf('one_symbol', (oneSymbol) => [
        takePair(oneSymbol, kept),
        repeat(lookupsPerFetch - 1, () => [branchIf(kept, i32GtU(k, lastKept)), takePair(nextAc, kept)]),
        branch(nextAc),
      ]),
      readSymbol(giveUp),
      set(size, i32And(symbol, 15)),
      when(i32Eqz(size), [
        when(i32Ne(symbol, zeroRunOf16), [set(k, blockSize), branch(kept)]),
        increase(k, 16),
        branch(nextAc),
      ]),
      increase(k, i32ShrU(symbol, 4)),
      readValue,
      storeCoefficient(i32Load(i32Add(steps, i32Shl(k, 2))), value),
      increase(k, 1),
      branchIf(giveUp, i32GtU(k, blockSize)),
      branch(nextAc),
    ]),
  );

/** Skips as many symbols as a look-up holds. If it holds none, branches to `otherwise`. */
const takeSkip = (otherwise: Label, skipped: Label) => [
  set(entry, directEntry),
  set(next, i32Add(k, i32And(i32ShrU(entry, 8), 255))),
  branchIf(otherwise, i32Eqz(isInside)),
  consumeEntry(i64ExtendI32U(entry)),
  branchIf(skipped, i32GeU(entry, skipEnd)),
  set(k, next),
];

/** Skips the rest of the block. */
const skipAc = (giveUp: Label) =>
  blockOf('skipped', (skipped) =>
    loop('next_skip', (nextSkip) => [
      branchIf(skipped, i32GeU(k, blockSize)),
      fetch,
      blockOf('one_symbol', (oneSymbol) => [
        takeSkip(oneSymbol, skipped),
        repeat(skipsPerFetch - 1, () => takeSkip(nextSkip, skipped)),
        branch(nextSkip),
      ]),
      readSymbol(giveUp),
      set(size, i32And(symbol, 15)),
      when(i32Eqz(size), [branchIf(skipped, i32Ne(symbol, zeroRunOf16)), increase(k, 16), branch(nextSkip)]),
      consume(size),
      increase(k, i32Add(i32ShrU(symbol, 4), 1)),
      branch(nextSkip),
    ]),
  );

const isNeeded = i32And(i32Ne(row, 0), i32And(i32GeS(x, part('blockLeft')), i32LtS(x, part('blockRight'))));

const decodeBlock = (giveUp: Label) => [
  decodeDc(giveUp),
  set(table, part('ac')),
  set(k, 1),
  when(isNeeded, [
    set(anyCoefficient, 0),
    set(lastKept, part('lastKept')),
    set(steps, part('steps')),
    decodeAc(giveUp),
    set(side, part('side')),
    set(stride, part('stride')),
    set(out, i32Add(row, i32Mul(x, side))),
    set(dc, i32Mul(part('prediction'), divisor(i32Load(steps)))),
    when(anyCoefficient, transform, writeFlat),
  ]),
  skipAc(giveUp),
];

/** Decodes the blocks of an MCU into samples. @see ITU-T T.81 F.2.2, A.2 (order of blocks) */
export const decodeSequential = toScanFunction({
  name: 'decode_sequential',
  reads: ['block'],
  locals: [k, anyCoefficient, lastKept, steps, from, step, product, side, stride, out, dc],
  decodeMcu: (giveUp) => eachBlock(decodeBlock(giveUp)),
  save: savePredictions,
  restore: [restorePredictions, memoryFill(block, 0, blockSize * Int16Array.BYTES_PER_ELEMENT)],
});
