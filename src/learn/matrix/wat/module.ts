import { wasmModule } from '../../../lib/wasm-text/function.ts';
import { addProducts } from './add-products.ts';
import { solveLower, solveLowerTransposed } from './solve-triangle.ts';
import { subtractProduct, subtractTransposedProduct } from './subtract-product.ts';

/** The routines of learning as WebAssembly text: SIMD and nothing newer. */
export function writeMatrixModule(): string {
  return wasmModule([
    addProducts,
    subtractProduct,
    subtractTransposedProduct,
    solveLower,
    solveLowerTransposed,
  ]);
}
