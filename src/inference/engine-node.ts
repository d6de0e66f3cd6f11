import { readFile } from 'node:fs/promises';
import type { KernelChoice } from '../engine/choose-kernels.ts';
import type { KernelSetName } from '../engine/kernel-layout.ts';
import { createResnetInt8 } from './resnet-int8.ts';
import type { InferenceRuntime } from './session.ts';

/** The int8 engine in Node, on kernels of one's choice, compiled from the files beside it. */
export async function bootEngineNode(choice: KernelChoice): Promise<InferenceRuntime> {
  const read = (set: KernelSetName) => readFile(new URL(`../engine/kernels-${set}.wasm`, import.meta.url));
  return createResnetInt8(
    {
      plain: await WebAssembly.compile(await read('plain')),
      // A JavaScript engine without relaxed SIMD does not know its instructions.
      relaxed: await WebAssembly.compile(await read('relaxed')).catch(() => undefined),
    },
    choice,
  );
}
