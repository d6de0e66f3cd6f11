import type { Scoring } from '../../classify/choice.ts';
import type { Prediction } from '../../classify/classification.ts';
import { CodedError } from '../../errors.ts';
import type { ClassLabel, FileKind, ModelManifest } from '../../model/manifest.ts';
import { DynamicBatcher } from './dynamic-batcher.ts';
import type { InferenceAnswer, InferenceJob, InferenceWorkerData } from './inference-worker.ts';
import { InputSlots } from './input-slots.ts';
import type { TierMetrics } from './tier-metrics.ts';
import { WorkerPool } from './worker-pool.ts';

/** The file of a version that the tier runs, whole. */
export interface TierModelFile {
  readonly kind: FileKind;
  readonly bytes: SharedArrayBuffer;
  /** Name of the graph's output with the features of its blocks, if the network gives these instead of classes. */
  readonly featuresOutput?: string;
}

/** The output of a network for one image, before scoring. */
export interface Inference {
  /** FP32 (classes). */
  readonly output: Float32Array;
  /** Only for a head: how similar the image is to the photos that it has learned from. */
  readonly similarity?: number | undefined;
}

/** A network that the tier can run: a loaded model, or a head behind one. */
export interface TierNetwork {
  readonly manifest: ModelManifest;
  readonly labels: readonly ClassLabel[];
  readonly provider: string;
  /** Most images in one batch; 1 if the graph or the engine takes no more. */
  readonly maxBatch: number;
  /** Its labels in metrics. */
  readonly label: { readonly model: string; readonly version: string };
  /** @param tensor FP32 (3, side, side), normalised. */
  infer(tensor: Float32Array): Promise<Inference>;
  /** Whether an image shows none of the classes. */
  isUnknown(scoring: Scoring, predictions: readonly Prediction[], inference: Inference): boolean;
}

export interface TierModelOptions {
  readonly executionProviders: readonly string[];
  /** Whether to use the next provider if the first is missing. */
  readonly allowFallback: boolean;
  readonly threads: number;
  readonly preferredSizes: readonly number[];
  readonly maxQueueDelayMs: number;
  readonly metrics: TierMetrics;
}

/** Batches that an instance gets at once, so that the next one is there when it ends one. */
const depth = 2;

/** Loading and one batch of 256 images of ResNet-152 on two cores stay below this. */
const batchTimeoutMs = 120_000;

/** A model that is loaded, with its queue. */
export class TierModel implements TierNetwork {
  readonly manifest: ModelManifest;
  readonly labels: readonly ClassLabel[];
  /** The execution provider: `cpu`, `cuda`, ..., or `resnet-int8` for the edge's own engine. */
  readonly provider: string;
  readonly maxBatch: number;
  readonly label: { readonly model: string; readonly version: string };
  readonly #pool: WorkerPool<InferenceAnswer>;
  readonly #batcher: DynamicBatcher<Float32Array, Float32Array>;

  private constructor(
    manifest: ModelManifest,
    labels: readonly ClassLabel[],
    provider: string,
    pool: WorkerPool<InferenceAnswer>,
    slots: InputSlots,
    batches: boolean,
    { preferredSizes, maxQueueDelayMs, metrics }: TierModelOptions,
  ) {
    this.manifest = manifest;
    this.labels = labels;
    this.provider = provider;
    this.#pool = pool;
    const sizes = batches ? preferredSizes.toSorted((a, b) => a - b) : [1];
    this.maxBatch = sizes.at(-1)!;
    const label = { model: manifest.name, version: manifest.version };
    this.label = label;
    this.#batcher = new DynamicBatcher<Float32Array, Float32Array>(
      async (tensors) => {
        const { outputs, computeUs } = await slots.use(tensors, (slot) =>
          pool.run({ slot, count: tensors.length } satisfies InferenceJob),
        );
        metrics.executions.inc(label);
        metrics.inferences.inc(label, tensors.length);
        metrics.computeUs.inc(label, computeUs);
        const width = outputs.length / tensors.length;
        return tensors.map((_, row) => outputs.subarray(row * width, (row + 1) * width));
      },
      { preferredSizes: sizes, maxQueueDelayMs, instances: pool.size, ahead: pool.size * (depth - 1) },
      (waitedUs) => metrics.queueUs.inc(label, waitedUs),
    );
  }

  /**
   * Loads the model and runs it once, so that a failure is known before images are accepted.
   *
   * @throws {CodedError} `model_unavailable` if no provider that is allowed can run it.
   */
  static async load(
    manifest: ModelManifest,
    labels: readonly ClassLabel[],
    { kind, bytes, featuresOutput }: TierModelFile,
    options: TierModelOptions,
  ): Promise<TierModel> {
    const isEngine = kind === 'rni8';
    const wanted = isEngine ? ['resnet-int8'] : options.executionProviders;
    const instances = isEngine ? options.threads : 1;
    const slots = new InputSlots(
      instances * depth,
      isEngine ? 1 : Math.max(...options.preferredSizes),
      3 * manifest.preprocess.centerCrop ** 2,
    );
    const failures: string[] = [];
    for (const provider of options.allowFallback ? wanted : wanted.slice(0, 1)) {
      const workerData: InferenceWorkerData = {
        model: bytes,
        slots: slots.buffers,
        kind,
        inputName: manifest.input.name,
        outputName: featuresOutput ?? manifest.output.name,
        wantsFeatures: featuresOutput !== undefined,
        side: manifest.preprocess.centerCrop,
        executionProviders: [provider],
        threads: options.threads,
      };
      // The engine computes on one core, onnxruntime-node on all cores.
      const pool = new WorkerPool<InferenceAnswer>(new URL('./inference-worker.ts', import.meta.url), {
        size: instances,
        depth,
        workerData,
        timeoutMs: batchTimeoutMs,
        onDeath: (reason, cause) =>
          new CodedError('inference_failed', `The inference thread was lost: ${reason}.`, { cause }),
      });
      try {
        const { batches } = await pool.run({ slot: 0, count: 0 } satisfies InferenceJob);
        return new TierModel(manifest, labels, provider, pool, slots, batches, options);
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

  /** @param tensor FP32 (3, side, side), normalised. @returns FP32 (classes), or the features of all blocks. */
  run(tensor: Float32Array): Promise<Float32Array> {
    return this.#batcher.submit(tensor);
  }

  async infer(tensor: Float32Array): Promise<Inference> {
    return { output: await this.run(tensor) };
  }

  isUnknown(_scoring: Scoring, predictions: readonly Prediction[]): boolean {
    return predictions.length === 0;
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}
