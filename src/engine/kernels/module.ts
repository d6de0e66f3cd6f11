import { convolution } from './convolution.ts';
import { dotKernel } from './dot-kernel.ts';
import { tilePixels } from './layout.ts';
import { fusedSum } from './requantize.ts';
import { smallOperators } from './small-operators.ts';
import { winograd } from './winograd.ts';

/** The engine's kernels as WebAssembly text: SIMD, nothing newer, so that it runs wherever workerd does. */
export function writeModule(): string {
  const kernels = Array.from({ length: tilePixels }, (_, index) => index + 1).flatMap((pixels) => [
    dotKernel(pixels, 'i8'),
    dotKernel(pixels, 'i16'),
  ]);
  return `(module
  (import "env" "memory" (memory 1))
  ${[...kernels, fusedSum, convolution, winograd, smallOperators].join('\n')}
)\n`;
}
