import { maxRuntimeBytes as defaultMaxRuntimeBytes, runtimeBaseBytes } from '../limits.ts';
import type { ModelManifest } from './manifest.ts';

/**
 * Decides which models may be loaded beside each other. The runtime's linear memory never shrinks,
 * so what counts is not what it has but what the loaded models need of it.
 */
export class MemoryBudget {
  readonly #maxBytes: number;
  readonly #taken = new Map<string, number>();

  constructor(maxRuntimeBytes: number = defaultMaxRuntimeBytes) {
    this.#maxBytes = maxRuntimeBytes;
  }

  fits(manifest: ModelManifest): boolean {
    // onnxruntime-web's own 16 MB are counted whether or not it is in use: it may be, for the next model.
    let total = runtimeBaseBytes + toNeededBytes(manifest);
    for (const bytes of this.#taken.values()) total += bytes;
    return total <= this.#maxBytes;
  }

  take(key: string, manifest: ModelManifest): void {
    this.#taken.set(key, toNeededBytes(manifest));
  }

  release(key: string): void {
    this.#taken.delete(key);
  }
}

/** Linear memory a model needs beyond an empty runtime: measured, or else its file and a third for activations. */
function toNeededBytes({ model, runtime, runtimeMemoryBytes }: ModelManifest): number {
  if (runtime === 'resnet-int8' && runtimeMemoryBytes !== undefined) return runtimeMemoryBytes;
  if (runtimeMemoryBytes !== undefined) return Math.max(0, runtimeMemoryBytes - runtimeBaseBytes);
  return Math.ceil((model.bytes * 4) / 3);
}
