import type { I32, Statement, V128 } from '../../lib/wasm-text/expression.ts';
import { at, v128Store } from '../../lib/wasm-text/memory.ts';
import { i8x16Const, i8x16Swizzle, v128Or } from '../../lib/wasm-text/vectors.ts';

/** An index that gives 0, and lets V8 know that it does: it is then one instruction (x86) and not two. */
export const swizzleZero = 255;

/**
 * Stores 16 pixels at `out` as RGB, RGB, ...: 48 bytes. A colour's samples go to their places, and zeros elsewhere, by
 * one instruction with a constant that stays in its register; a shuffle of two vectors makes two of them each time.
 */
export function storeInterleaved(out: I32, red: V128, green: V128, blue: V128): Statement[] {
  return [0, 1, 2].map((part) => {
    const bytes = Array.from({ length: 16 }, (_, index) => part * 16 + index);
    const [r, g, b] = [red, green, blue].map((samples, channel) => {
      const order = bytes.map((byte) => (byte % 3 === channel ? Math.floor(byte / 3) : swizzleZero));
      return i8x16Swizzle(samples, i8x16Const(order));
    }) as [V128, V128, V128];
    return v128Store(at(out, part * 16), v128Or(v128Or(r, g), b));
  });
}
