import { maxRuntimeBytes as defaultMaxRuntimeBytes, runtimeBaseBytes } from '../limits.ts';
import type { ModelManifest, RuntimeName } from './manifest.ts';

interface Share {
  readonly runtime: RuntimeName;
  readonly bytes: number;
}

/**
 * Decides which models may be loaded beside each other. A manifest states the memory of a model on the kernels that need
 * most. Once a model was loaded in this isolate, its measured memory counts instead.
 */
export class MemoryBudget {
  readonly #maxBytes: number;
  readonly #taken = new Map<string, Share>();
  /** Kept after the sessions are released, because the kernels of an isolate do not change. */
  readonly #measured = new Map<string, number>();

  constructor(maxRuntimeBytes: number = defaultMaxRuntimeBytes) {
    this.#maxBytes = maxRuntimeBytes;
  }

  /**
   * @param key `name/version`.
   * @param generalHeapBytes linear memory that onnxruntime-web has now, 0 if it has not booted. It never shrinks: its own
   *   models use it, and other models have only the rest of the budget.
   */
  fits(key: string, manifest: ModelManifest, generalHeapBytes: number): boolean {
    const shares = [...this.#taken.values(), this.#toShare(key, manifest)];
    const sum = (runtime: RuntimeName) =>
      shares.reduce((total, share) => total + (share.runtime === runtime ? share.bytes : 0), 0);
    const general = sum('onnxruntime-web');
    const needed = general > 0 ? runtimeBaseBytes + general : 0;
    const held = manifest.runtime === 'onnxruntime-web' ? needed : Math.max(needed, generalHeapBytes);
    return held + sum('resnet-int8') <= this.#maxBytes;
  }

  /** Whether a model of this runtime is loaded or on its way. */
  uses(runtime: RuntimeName): boolean {
    return [...this.#taken.values()].some((share) => share.runtime === runtime);
  }

  take(key: string, manifest: ModelManifest): void {
    this.#taken.set(key, this.#toShare(key, manifest));
  }

  /** @param bytes what the loaded session holds of the isolate, if it can tell. */
  measure(key: string, bytes: number | undefined): void {
    const share = this.#taken.get(key);
    if (!share || bytes === undefined) return;
    this.#measured.set(key, bytes);
    this.#taken.set(key, { ...share, bytes });
  }

  release(key: string): void {
    this.#taken.delete(key);
  }

  #toShare(key: string, manifest: ModelManifest): Share {
    return { runtime: manifest.runtime, bytes: this.#measured.get(key) ?? toNeededBytes(manifest) };
  }
}

/**
 * Whether a model fits an isolate that holds no other model. `models compile` and the isolate both decide by this rule.
 */
export function fitsIsolate(manifest: ModelManifest): boolean {
  return new MemoryBudget().fits('', manifest, 0);
}

/** Linear memory of a model beyond an empty runtime: measured, or else its file plus a third for activations. */
function toNeededBytes({ edgeFile, runtime, runtimeMemoryBytes }: ModelManifest): number {
  if (runtimeMemoryBytes === undefined) return Math.ceil((edgeFile.bytes * 4) / 3);
  return runtime === 'resnet-int8' ? runtimeMemoryBytes : Math.max(1, runtimeMemoryBytes - runtimeBaseBytes);
}
