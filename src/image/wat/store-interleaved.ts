import type { I32, Statement, V128 } from '../../lib/wasm-text/expression.ts';
import { at, v128Store } from '../../lib/wasm-text/memory.ts';
import { i8x16Shuffle } from '../../lib/wasm-text/vectors.ts';

/** Stores 16 pixels at `out` as RGB, RGB, ...: 48 bytes. */
export function storeInterleaved(out: I32, red: V128, green: V128, blue: V128): Statement[] {
  return [0, 1, 2].map((part) => {
    const bytes = Array.from({ length: 16 }, (_, index) => part * 16 + index);
    const redAndGreen = bytes.map((byte) => (byte % 3 === 2 ? 0 : Math.floor(byte / 3) + (byte % 3) * 16));
    const withBlue = bytes.map((byte, index) => (byte % 3 === 2 ? 16 + Math.floor(byte / 3) : index));
    return v128Store(at(out, part * 16), i8x16Shuffle(withBlue, i8x16Shuffle(redAndGreen, red, green), blue));
  });
}
