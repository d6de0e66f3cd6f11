import { type KernelSetName, kernelTraits } from '../kernel-layout.ts';
import { activationsOf } from './activations.ts';
import { adoptWeights, probeDot } from './adopt-weights.ts';
import { convolution } from './convolution.ts';
import { fusedSum } from './requantize.ts';
import { smallOperators } from './small-operators.ts';
import { widenPanel } from './widen-panel.ts';
import { winograd } from './winograd.ts';

/** A kernel set as WebAssembly text. The plain one is SIMD and nothing newer, so that it runs wherever workerd does. */
export function writeModule(name: KernelSetName): string {
  const activations = activationsOf[name];
  const own = name === 'plain' ? [widenPanel] : [adoptWeights, probeDot];
  return `(module
  (import "env" "memory" (memory 1))
  ${[
    fusedSum,
    convolution(activations, kernelTraits[name]),
    winograd(activations),
    ...own,
    smallOperators(activations),
  ].join('\n')}
)\n`;
}
