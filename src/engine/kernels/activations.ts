import type { I32, Statement, V128 } from '../../lib/wasm-text/expression.ts';
import { v128Load, v128Load8x8U, v128Store, v128Store64Lane } from '../../lib/wasm-text/memory.ts';
import {
  i8x16NarrowI16x8U,
  i16x8Add,
  i16x8MaxS,
  i16x8MinS,
  i16x8NarrowI32x4S,
  i16x8Sub,
  i32x4Const,
  i32x4ExtendHighI16x8S,
  i32x4ExtendHighI16x8U,
  i32x4ExtendLowI16x8S,
  i32x4ExtendLowI16x8U,
} from '../../lib/wasm-text/vectors.ts';
import type { KernelSetName } from '../kernel-layout.ts';
import { type DotOperands, plainOperands, relaxedOperands, widenedOperands } from './dot-loop.ts';

/** How a kernel set keeps 8 neighbouring channels of one pixel, and what it does with them. */
export interface Activations {
  readonly bytes: 1 | 2;
  readonly operands: DotOperands;
  /** For a single pixel: it reads weights as they lie in memory, because widening a panel would not pay. */
  readonly singleOperands: DotOperands;
  load(address: I32): V128;
  /** Eight values less their zero point, which `zero` has in each lane, as int16. */
  loadCentred(address: I32, zero: V128): V128;
  /** @param low channels 0 to 3 as int32, in range; @param high channels 4 to 7. */
  store(address: I32, low: V128, high: V128): Statement;
  /** The same for values that may be greater than `cap`, 16 bits a lane, and become it. */
  storeCapped(address: I32, low: V128, high: V128, cap: V128): Statement;
  /** The same for values out of range: clamped to `least` and `most`, 16 bits a lane. */
  storeClamped(address: I32, low: V128, high: V128, least: V128, most: V128): Statement;
  /** The greater of two loaded values, channel by channel, and storing it as it is. */
  max(a: V128, b: V128): V128;
  storeLoaded(address: I32, value: V128): Statement;
  /** Four of eight loaded values as int32. */
  widenLow(value: V128): V128;
  widenHigh(value: V128): V128;
  /** Eight loaded values with their zero point, which `zero` has in each lane. */
  quantized(value: V128, zero: V128): V128;
}

const centredInt16: Activations = {
  bytes: 2,
  operands: widenedOperands,
  singleOperands: plainOperands,
  load: v128Load,
  loadCentred: v128Load,
  store: (address, low, high) => v128Store(address, i16x8NarrowI32x4S(low, high)),
  storeCapped: (address, low, high, cap) => v128Store(address, i16x8MinS(cap, i16x8NarrowI32x4S(low, high))),
  storeClamped: (address, low, high, least, most) =>
    v128Store(address, i16x8MinS(most, i16x8MaxS(least, i16x8NarrowI32x4S(low, high)))),
  max: i16x8MaxS,
  storeLoaded: v128Store,
  widenLow: i32x4ExtendLowI16x8S,
  widenHigh: i32x4ExtendHighI16x8S,
  quantized: i16x8Add,
};

const storeBytes = (address: I32, int16: V128) =>
  v128Store64Lane(0, address, i8x16NarrowI16x8U(int16, i32x4Const(0)));

const unsignedBytes: Activations = {
  bytes: 1,
  operands: relaxedOperands,
  singleOperands: relaxedOperands,
  load: v128Load8x8U,
  loadCentred: (address, zero) => i16x8Sub(v128Load8x8U(address), zero),
  store: (address, low, high) => storeBytes(address, i16x8NarrowI32x4S(low, high)),
  // Values above 255, the highest cap, saturate when they are narrowed.
  storeCapped: (address, low, high) => storeBytes(address, i16x8NarrowI32x4S(low, high)),
  storeClamped: (address, low, high, least) =>
    storeBytes(address, i16x8MaxS(least, i16x8NarrowI32x4S(low, high))),
  max: i16x8MaxS,
  storeLoaded: (address, value) => v128Store64Lane(0, address, i8x16NarrowI16x8U(value, value)),
  widenLow: i32x4ExtendLowI16x8U,
  widenHigh: i32x4ExtendHighI16x8U,
  quantized: (value) => value,
};

export const activationsOf: Readonly<Record<KernelSetName, Activations>> = {
  plain: centredInt16,
  relaxed: unsignedBytes,
};
