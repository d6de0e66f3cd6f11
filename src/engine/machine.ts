import type { KernelTraits } from './kernel-layout.ts';
import type { MemoryLayout } from './memory-layout.ts';

/** A kernel of WebAssembly. Its arguments are addresses, sizes and numbers of float32. */
export type Kernel = (...args: number[]) => void;

/** A kernel set's exports; every argument is an address, a size or a float32. */
export interface Kernels {
  readonly convolve: Kernel;
  readonly quantize_input: Kernel;
  readonly convolve_grouped: Kernel;
  readonly max_pool: Kernel;
  readonly average_pool: Kernel;
  readonly global_average_pool: Kernel;
  readonly classify: Kernel;
  readonly fill_border: Kernel;
  readonly convolve_winograd_2: Kernel;
  readonly convolve_winograd_4: Kernel;
  readonly convolve_winograd_7: Kernel;
  readonly convolve_winograd_14: Kernel;
  /** Only the plain set has these. */
  readonly convolve_winograd_2_strided?: Kernel;
  readonly convolve_winograd_4_strided?: Kernel;
  readonly convolve_winograd_3?: Kernel;
  readonly convolve_strassen?: Kernel;
  /** Only the relaxed set has these. */
  readonly adopt_weights?: Kernel;
  readonly probe_dot?: Kernel;
}

/** @param module the compiled `kernels-*.wasm`. */
export function instantiateKernels(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernels {
  // A module's exports have no type. Both modules are generated from kernels/, which `npm test` checks.
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Kernels;
}

/** The memory and the kernels that a program runs on. */
export interface Machine {
  readonly memory: WebAssembly.Memory;
  readonly layout: MemoryLayout;
  readonly kernels: Kernels;
  readonly traits: KernelTraits;
}
