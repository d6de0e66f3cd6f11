import plain from '../src/engine/kernels-plain.wasm';
import relaxed from '../src/engine/kernels-relaxed.wasm';
import { CodedError } from '../src/errors.ts';
import { createResnetInt8 } from '../src/inference/resnet-int8.ts';
import type { InferenceRuntime } from '../src/inference/session.ts';
import type { Metrics } from '../src/lib/observe/metrics.ts';
import { toCode, writeLog } from '../src/lib/observe/write-log.ts';
import { CatalogReader } from '../src/model/catalog-reader.ts';
import { HeadCache } from '../src/model/head-cache.ts';
import { createKvModelStore } from '../src/model/kv-model-store.ts';
import { ModelSources } from '../src/model/model-sources.ts';
import { createR2ModelStore } from '../src/model/r2-model-store.ts';
import { type ModelLoad, SessionCache } from '../src/model/session-cache.ts';
import { createWorkersSha256 } from '../src/model/sha256-workers.ts';
import type { Settings } from './settings.ts';

export interface ModelBindings {
  readonly MODELS: R2Bucket;
  /** The second source of models. */
  readonly MODELS_KV?: KVNamespace;
}

/** Boots the runtime for graphs that the int8 engine does not run. */
export type BootGeneralRuntime = () => Promise<InferenceRuntime>;

export interface ModelParts {
  readonly settings: Settings;
  readonly metrics: Metrics;
  readonly bootGeneralRuntime: BootGeneralRuntime;
  /** The version of a model that is not in the catalogue. */
  readonly findVersion: (name: string) => Promise<string | undefined>;
}

/** Everything that reads and loads models: the catalogue, sessions and heads, with R2 first and then KV as sources. */
export function composeModels(env: ModelBindings, parts: ModelParts) {
  const { settings, metrics, bootGeneralRuntime, findVersion } = parts;
  const sources = new ModelSources(
    [
      { name: 'r2', store: createR2ModelStore(env.MODELS) },
      ...(env.MODELS_KV ? [{ name: 'kv', store: createKvModelStore(env.MODELS_KV) }] : []),
    ],
    (source, key, error) =>
      writeLog('error', { event: 'model_source_failed', source, key, code: toCode(error), error }),
  );
  const catalog = new CatalogReader(sources, createWorkersSha256, {
    ttlMs: settings.catalogTtlMs,
    findVersion,
  });
  const sessions = new SessionCache({
    sources,
    createSha256: createWorkersSha256,
    bootRuntime: async (name) =>
      name === 'resnet-int8'
        ? createResnetInt8({ plain, relaxed }, settings.engineKernels)
        : await bootGeneralRuntime(),
    onLoaded: (load) => recordLoad(load, metrics),
  });
  return { catalog, sessions, heads: new HeadCache(sources, createWorkersSha256) };
}

function recordLoad(load: ModelLoad, metrics: Metrics): void {
  const { model, memoryBytes, bootedMs, fetchedMs, createdMs } = load;
  metrics.add('resnet_edge_model_loads_total', { model });
  writeLog('info', {
    event: 'model_loaded',
    model,
    runtime_memory_bytes: memoryBytes,
    booted_ms: bootedMs,
    fetched_ms: fetchedMs,
    created_ms: createdMs,
  });
}

/** For deployments without a general runtime. */
export async function refuseOtherGraphs(): Promise<never> {
  throw new CodedError(
    'model_manifest_invalid',
    'This deployment has the int8 engine alone; the model needs onnxruntime-web.',
  );
}
