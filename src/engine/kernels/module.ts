import { wasmModule } from '../../lib/wasm-text/function.ts';
import { type KernelSetName, kernelTraits } from '../kernel-layout.ts';
import { activationsOf } from './activations.ts';
import { adoptWeights, probeDot } from './adopt-weights.ts';
import { windowAveragePool } from './average-pool.ts';
import { convolution, groupedConvolution } from './convolution.ts';
import { averagePool, maxPool } from './pooling.ts';
import { quantizeInput } from './quantize-input.ts';
import { fusedSum } from './requantize.ts';
import { classify, fillBorder } from './small-operators.ts';
import { strassen } from './strassen.ts';
import { widenPanel } from './widen-panel.ts';
import { stridedWinograd, winograd } from './winograd.ts';
import { multiplyRuns } from './winograd-products.ts';
import { winogradSeven } from './winograd-seven.ts';
import { winogradStem } from './winograd-stem.ts';

/** A kernel set as WebAssembly text. The plain set needs SIMD and nothing newer, so it runs wherever workerd runs. */
export function writeModule(name: KernelSetName): string {
  const activations = activationsOf[name];
  const multiply = multiplyRuns();
  const own =
    name === 'plain'
      ? [
          widenPanel,
          ...strassen(activations, multiply),
          ...stridedWinograd(activations, multiply),
          ...winogradStem(),
        ]
      : [adoptWeights, probeDot];
  return wasmModule([
    fusedSum,
    ...convolution(activations, kernelTraits[name]),
    ...groupedConvolution(activations, kernelTraits[name]),
    ...multiply,
    ...winograd(activations, multiply),
    ...winogradSeven(activations),
    ...own,
    ...[quantizeInput, maxPool, windowAveragePool, averagePool, classify].map((operator) =>
      operator(activations),
    ),
    fillBorder,
  ]);
}
