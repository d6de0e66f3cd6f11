import { type ConvField, fieldOffset } from '../kernel-layout.ts';

/** A field of the convolution descriptor that `$c` points to. */
export const field = (name: ConvField) => `(i32.load offset=${fieldOffset(name)} (local.get $c))`;
/** A float32 field in all four lanes. */
export const splatField = (name: ConvField) =>
  `(v128.load32_splat offset=${fieldOffset(name)} (local.get $c))`;

/** A field's two bytes in all eight lanes. */
export const laneField = (name: ConvField) =>
  `(v128.load16_splat offset=${fieldOffset(name)} (local.get $c))`;
