import { CodedError } from '../errors.ts';
import { type KernelSetName, kernelSetNames } from './kernel-layout.ts';

/** The engine's compiled WebAssembly. An engine without relaxed SIMD cannot compile the second. */
export interface KernelModules {
  readonly plain: WebAssembly.Module;
  readonly relaxed?: WebAssembly.Module | undefined;
}

/** `auto` takes the relaxed set wherever it is exact. */
export type KernelChoice = 'auto' | KernelSetName;

/** @throws {CodedError} `configuration_invalid` if a configuration names anything else. */
export function parseKernelChoice(value: string | undefined): KernelChoice {
  const choice = ['auto', ...kernelSetNames].find((name) => name === (value || 'auto'));
  if (!choice)
    throw new CodedError(
      'configuration_invalid',
      `ENGINE_KERNELS must be auto, plain or relaxed, got: ${value}`,
    );
  return choice as KernelChoice;
}

/**
 * Chooses by what the CPU computes, never by how fast it is, so that every isolate gives the same bits.
 *
 * @throws {CodedError} `model_unavailable` if the relaxed set is forced where it is not exact.
 */
export function chooseKernels(
  { plain, relaxed }: KernelModules,
  choice: KernelChoice,
): { readonly name: KernelSetName; readonly module: WebAssembly.Module } {
  const exact = choice !== 'plain' && relaxed !== undefined && isRelaxedDotExact(relaxed);
  if (exact) return { name: 'relaxed', module: relaxed };
  if (choice === 'relaxed') {
    throw new CodedError(
      'model_unavailable',
      'The relaxed kernels are forced, but here their dot product is not exact (no AVX-VNNI, or no relaxed SIMD).',
    );
  }
  return { name: 'plain', module: plain };
}

type Quad = readonly [number, number, number, number];

/**
 * Weights and inputs of one lane: what distinguishes the instructions that WebAssembly allows. x64
 * without VNNI saturates sums of two products at 16 bits; ARM reads the inputs as signed.
 */
const probes: readonly (readonly [weights: Quad, inputs: Quad])[] = [
  [
    [127, 127, 127, 127],
    [255, 255, 255, 255],
  ],
  [
    [-128, -128, -128, -128],
    [255, 255, 255, 255],
  ],
  [
    [127, 127, -128, -128],
    [255, 255, 255, 255],
  ],
  [
    [1, -1, 127, -128],
    [128, 127, 129, 1],
  ],
];

/** Runs the instruction on operands that tell whether it multiplies U8 by S8 and adds without saturating. */
export function isRelaxedDotExact(module: WebAssembly.Module): boolean {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const probe = exports['probe_dot'] as (weights: number, inputs: number, accumulators: number) => void;
  const weights = new Int8Array(memory.buffer, 0, 16);
  const inputs = new Uint8Array(memory.buffer, 16, 16);
  const sums = new Int32Array(memory.buffer, 32, 4);
  for (const [w, x] of probes) {
    // Each lane has another rotation, and a start that only a true 32-bit addition keeps.
    const starts = [0, -1_000_000_007, 2_000_000_000, -40_000];
    const expected = starts.map(
      (start) => w.reduce((sum, weight, index) => sum + weight * x[index]!, start) | 0,
    );
    for (let lane = 0; lane < 4; lane++) {
      for (let index = 0; index < 4; index++) {
        weights[lane * 4 + index] = w[(index + lane) % 4]!;
        inputs[lane * 4 + index] = x[(index + lane) % 4]!;
      }
    }
    sums.set(starts);
    probe(weights.byteOffset, inputs.byteOffset, sums.byteOffset);
    if (expected.some((value, lane) => value !== sums[lane])) return false;
  }
  return true;
}
