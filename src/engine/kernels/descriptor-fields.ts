import { i32Local } from '../../lib/wasm-text/expression.ts';
import { at, i32Load, v128Load16Splat, v128Load32Splat } from '../../lib/wasm-text/memory.ts';
import { type ConvField, fieldOffset } from '../kernel-layout.ts';

/** Address of a convolution's descriptor. */
export const descriptor = i32Local('descriptor');

export const field = (name: ConvField) => i32Load(at(descriptor, fieldOffset(name)));
/** A field's four bytes in all four lanes. */
export const splatField = (name: ConvField) => v128Load32Splat(at(descriptor, fieldOffset(name)));
/** A field's two bytes in all eight lanes. */
export const laneField = (name: ConvField) => v128Load16Splat(at(descriptor, fieldOffset(name)));
