import { CodedError } from '../errors.ts';
import type { ClassLabel, ModelManifest } from '../model/manifest.ts';
import { DynamicBatcher } from './dynamic-batcher.ts';
import type { InferenceAnswer, InferenceJob, InferenceWorkerData } from './inference-worker.ts';
import type { TierMetrics } from './tier-metrics.ts';
import { WorkerPool } from './worker-pool.ts';

export interface TierModelOptions {
  readonly executionProviders: readonly string[];
  /** Whether the next provider may be taken when the first is missing. */
  readonly allowFallback: boolean;
  readonly threads: number;
  readonly preferredSizes: readonly number[];
  readonly maxQueueDelayMs: number;
  readonly metrics: TierMetrics;
}

/** Loading and one batch of 256 images of ResNet-152 on two cores stay below this. */
const batchTimeoutMs = 120_000;

/** A model that is loaded, with its queue. */
export class TierModel {
  readonly manifest: ModelManifest;
  readonly labels: readonly ClassLabel[];
  /** What computes: `cpu`, `cuda`, ..., or `resnet-int8` for the edge's own engine. */
  readonly provider: string;
  /** Most images that are run as one batch; 1 where the graph or the engine takes no more. */
  readonly maxBatch: number;
  readonly #pool: WorkerPool<InferenceAnswer>;
  readonly #batcher: DynamicBatcher<Float32Array, Float32Array>;

  private constructor(
    manifest: ModelManifest,
    labels: readonly ClassLabel[],
    provider: string,
    pool: WorkerPool<InferenceAnswer>,
    batches: boolean,
    { preferredSizes, maxQueueDelayMs, metrics }: TierModelOptions,
  ) {
    this.manifest = manifest;
    this.labels = labels;
    this.provider = provider;
    this.#pool = pool;
    const sizes = batches ? [...preferredSizes].sort((a, b) => a - b) : [1];
    this.maxBatch = sizes.at(-1)!;
    const label = { model: manifest.name, version: manifest.version };
    this.#batcher = new DynamicBatcher<Float32Array, Float32Array>(
      async (tensors) => {
        const { logits, computeUs } = await pool.run(...toJob(tensors));
        metrics.executions.inc(label);
        metrics.inferences.inc(label, tensors.length);
        metrics.computeUs.inc(label, computeUs);
        const { classes } = manifest.output;
        return tensors.map((_, row) => logits.subarray(row * classes, (row + 1) * classes));
      },
      { preferredSizes: sizes, maxQueueDelayMs, instances: pool.size },
      (waitedUs) => metrics.queueUs.inc(label, waitedUs),
    );
  }

  /**
   * Loads the model and runs it once, so that what does not work is known before anything is accepted.
   *
   * @throws {CodedError} `model_unavailable` if no provider that is allowed can run it.
   */
  static async load(
    manifest: ModelManifest,
    labels: readonly ClassLabel[],
    bytes: SharedArrayBuffer,
    options: TierModelOptions,
  ): Promise<TierModel> {
    const isEngine = manifest.format === 'rni8';
    const wanted = isEngine ? ['resnet-int8'] : options.executionProviders;
    const failures: string[] = [];
    for (const provider of options.allowFallback ? wanted : wanted.slice(0, 1)) {
      const workerData: InferenceWorkerData = {
        model: bytes,
        format: manifest.format,
        inputName: manifest.input.name,
        outputName: manifest.output.name,
        side: manifest.preprocess.centerCrop,
        executionProviders: [provider],
        threads: options.threads,
      };
      // The engine computes on one core, onnxruntime-node on all of them.
      const pool = new WorkerPool<InferenceAnswer>(new URL('./inference-worker.ts', import.meta.url), {
        size: isEngine ? options.threads : 1,
        workerData,
        timeoutMs: batchTimeoutMs,
        onDeath: (reason) => new CodedError('inference_failed', `The inference thread was lost: ${reason}.`),
      });
      try {
        const { batches } = await pool.run({ count: 0, data: new Float32Array() } satisfies InferenceJob);
        return new TierModel(manifest, labels, provider, pool, batches, options);
      } catch (error) {
        failures.push(`${provider}: ${error instanceof Error ? error.message : error}`);
        await pool.close();
      }
    }
    throw new CodedError(
      'model_unavailable',
      `${manifest.name} cannot be run by ${failures.join('; ')}. Set TIER_EXECUTION_PROVIDERS, or TIER_ALLOW_FALLBACK=yes.`,
    );
  }

  /** @param tensor FP32 (3, side, side), normalised. @returns FP32 (classes). */
  run(tensor: Float32Array): Promise<Float32Array> {
    return this.#batcher.submit(tensor);
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}

/** @returns the job and what is handed over with it. */
function toJob(tensors: readonly Float32Array[]): [InferenceJob, ArrayBuffer[]] {
  const size = tensors[0]!.length;
  const data = new Float32Array(tensors.length * size);
  for (const [row, tensor] of tensors.entries()) data.set(tensor, row * size);
  return [{ count: tensors.length, data }, [data.buffer]];
}
