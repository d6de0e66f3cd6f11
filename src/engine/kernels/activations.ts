import { get } from '../../lib/wasm-text/wat.ts';
import type { KernelSetName } from '../kernel-layout.ts';
import { type DotOperands, plainOperands, relaxedOperands, widenedOperands } from './dot-loop.ts';

/** How a kernel set keeps 8 neighbouring channels of one pixel, and what it does with them. */
export interface Activations {
  readonly bytes: 1 | 2;
  readonly operands: DotOperands;
  /** For one pixel alone: weights as they lie in memory, where widening a panel would not pay. */
  readonly singleOperands: DotOperands;
  load(address: string): string;
  /** Eight values less their zero point, which local `zero` has in each lane, as int16. */
  loadCentred(address: string, zero: string): string;
  /** @param low channels 0 to 3 as int32, in range; @param high channels 4 to 7. */
  store(address: string, low: string, high: string): string;
  /** The same for values that may be greater than local `resultHi`, 16 bits a lane, and become it. */
  storeCapped(address: string, low: string, high: string): string;
  /** The same for values out of range: clamped to the locals `sumLo` and `sumHi`, 16 bits a lane. */
  storeClamped(address: string, low: string, high: string): string;
  /** The greater of two loaded values, channel by channel, and storing it as it is. */
  max(a: string, b: string): string;
  storeLoaded(address: string, value: string): string;
  /** Four of eight loaded values as int32. */
  widen(half: 'low' | 'high', value: string): string;
  /** Eight loaded values with their zero point, which local `zero` has in each lane. */
  quantized(value: string, zero: string): string;
}

const narrow = (low: string, high: string) => `(i16x8.narrow_i32x4_s ${low} ${high})`;

const clampLanes = (value: string) => `(i16x8.min_s ${get('sumHi')} (i16x8.max_s ${get('sumLo')} ${value}))`;

const centredInt16: Activations = {
  bytes: 2,
  operands: widenedOperands,
  singleOperands: plainOperands,
  load: (address) => `(v128.load ${address})`,
  loadCentred: (address) => `(v128.load ${address})`,
  store: (address, low, high) => `(v128.store ${address} ${narrow(low, high)})`,
  storeCapped: (address, low, high) =>
    `(v128.store ${address} (i16x8.min_s ${get('resultHi')} ${narrow(low, high)}))`,
  storeClamped: (address, low, high) => `(v128.store ${address} ${clampLanes(narrow(low, high))})`,
  max: (a, b) => `(i16x8.max_s ${a} ${b})`,
  storeLoaded: (address, value) => `(v128.store ${address} ${value})`,
  widen: (half, value) => `(i32x4.extend_${half}_i16x8_s ${value})`,
  quantized: (value, zero) => `(i16x8.add ${value} ${get(zero)})`,
};

const storeBytes = (address: string, low: string, high: string) =>
  `(v128.store64_lane 0 ${address} (i8x16.narrow_i16x8_u ${narrow(low, high)} (v128.const i32x4 0 0 0 0)))`;

const unsignedBytes: Activations = {
  bytes: 1,
  operands: relaxedOperands,
  singleOperands: relaxedOperands,
  load: (address) => `(v128.load8x8_u ${address})`,
  loadCentred: (address, zero) => `(i16x8.sub (v128.load8x8_u ${address}) ${get(zero)})`,
  store: storeBytes,
  // What is above 255, which is the highest there is, saturates while it is narrowed.
  storeCapped: storeBytes,
  storeClamped: (address, low, high) =>
    `(v128.store64_lane 0 ${address} (i8x16.narrow_i16x8_u
      (i16x8.max_s ${get('sumLo')} ${narrow(low, high)}) (v128.const i32x4 0 0 0 0)))`,
  max: (a, b) => `(i16x8.max_s ${a} ${b})`,
  storeLoaded: (address, value) =>
    `(v128.store64_lane 0 ${address} (i8x16.narrow_i16x8_u ${value} ${value}))`,
  widen: (half, value) => `(i32x4.extend_${half}_i16x8_u ${value})`,
  quantized: (value) => value,
};

export const activationsOf: Readonly<Record<KernelSetName, Activations>> = {
  plain: centredInt16,
  relaxed: unsignedBytes,
};
