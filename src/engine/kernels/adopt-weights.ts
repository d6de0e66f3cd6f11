import { countUp, increase, set } from '../../lib/wasm-text/control.ts';
import { i32Locals, type V128, v128Locals } from '../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../lib/wasm-text/function.ts';
import { i32Add, i32Mul } from '../../lib/wasm-text/integers.ts';
import { at, v128Load, v128Store } from '../../lib/wasm-text/memory.ts';
import {
  i8x16Shuffle,
  i16x8ExtaddPairwiseI8x16S,
  i32x4Add,
  i32x4Const,
  i32x4ExtaddPairwiseI16x8S,
  i32x4Mul,
  i32x4RelaxedDotI8x16I7x16AddS,
  i32x4Splat,
  i32x4Sub,
} from '../../lib/wasm-text/vectors.ts';
import { panelChannels } from '../kernel-layout.ts';

const [weights, panelBytes, channels, bias, zeroPoint] = i32Locals(
  'weights',
  'panelBytes',
  'channels',
  'bias',
  'zeroPoint',
);
/** First channel of a panel; bytes of it that are done; address of the next ones. */
const [channel, done, address] = i32Locals('channel', 'done', 'address');
/** 32 bytes in the file's order; sums of the weights of channels 0 to 3 and 4 to 7. */
const [lower, upper, lowSums, highSums] = v128Locals('lower', 'upper', 'lowSums', 'highSums');

/** Which of 16-byte pairs of elements come together: the first pair of each channel with its second. */
const lowerOrder = [0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23];
const upperOrder = lowerOrder.map((byte) => byte + 8);

const addWeights = (sums: typeof lowSums, fours: V128) =>
  set(sums, i32x4Add(sums, i32x4ExtaddPairwiseI16x8S(i16x8ExtaddPairwiseI8x16S(fours))));
const takeOffBias = (offset: number, sums: V128) =>
  v128Store(at(bias, offset), i32x4Sub(v128Load(at(bias, offset)), i32x4Mul(i32x4Splat(zeroPoint), sums)));

/**
 * Reorders weights in place: the file has pairs of elements for each of 8 channels, and the relaxed kernels read groups of
 * four. The two orders differ only within 32 bytes. U8 activations carry their zero point into the sums, so each channel's
 * share, zero point x sum of weights, is subtracted from its bias here.
 */
export const adoptWeights = wasmFunction({
  name: 'adopt_weights',
  exported: true,
  params: [weights, panelBytes, channels, bias, zeroPoint],
  locals: [channel, done, address, lower, upper, lowSums, highSums],
  body: countUp(channel, channels, panelChannels, [
    set(lowSums, i32x4Const(0)),
    set(highSums, i32x4Const(0)),
    countUp(done, panelBytes, 32, [
      set(address, i32Add(weights, done)),
      set(lower, v128Load(address)),
      set(upper, v128Load(at(address, 16))),
      v128Store(address, i8x16Shuffle(lowerOrder, lower, upper)),
      v128Store(at(address, 16), i8x16Shuffle(upperOrder, lower, upper)),
      addWeights(lowSums, v128Load(address)),
      addWeights(highSums, v128Load(at(address, 16))),
    ]),
    takeOffBias(0, lowSums),
    takeOffBias(16, highSums),
    increase(weights, panelBytes),
    increase(bias, i32Mul(4, panelChannels)),
  ]),
});

const [inputs, accumulators] = i32Locals('inputs', 'accumulators');

/** Runs the instruction under test on operands in memory, so that no compiler can compute it in advance. */
export const probeDot = wasmFunction({
  name: 'probe_dot',
  exported: true,
  params: [weights, inputs, accumulators],
  body: v128Store(
    accumulators,
    i32x4RelaxedDotI8x16I7x16AddS(v128Load(weights), v128Load(inputs), v128Load(accumulators)),
  ),
});
