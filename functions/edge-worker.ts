import webpWasm from '@jsquash/webp/codec/dec/webp_dec.wasm';
import { parseKernelChoice } from '../src/engine/choose-kernels.ts';
import plain from '../src/engine/kernels-plain.wasm';
import relaxed from '../src/engine/kernels-relaxed.wasm';
import { CodedError } from '../src/errors.ts';
import { createApp } from '../src/http/app.ts';
import { createResnetInt8 } from '../src/inference/resnet-int8.ts';
import type { InferenceRuntime } from '../src/inference/session.ts';
import { CatalogReader } from '../src/model/catalog-reader.ts';
import { createKvModelStore } from '../src/model/kv-model-store.ts';
import { ModelSources } from '../src/model/model-sources.ts';
import { createR2ModelStore } from '../src/model/r2-model-store.ts';
import { SessionCache } from '../src/model/session-cache.ts';
import { createWorkersSha256 } from '../src/model/sha256-workers.ts';
import { createCloudflareImagesTranscode } from '../src/transcode/cloudflare-images.ts';

/** What runs graphs that the int8 engine does not. */
export type BootGeneralRuntime = () => Promise<InferenceRuntime>;

/** Bindings that a deployment may leave out; wrangler.toml shows how to add them. */
type EdgeEnv = Env & { readonly IMAGES?: ImagesBinding; readonly MODELS_KV?: KVNamespace };

/** Everything of the Worker but the runtimes that its entry point brings along. */
export function createWorker(bootGeneralRuntime: BootGeneralRuntime): ExportedHandler<EdgeEnv> {
  // One app per isolate: sessions and manifests outlive a request.
  let app: ReturnType<typeof createApp> | undefined;
  return {
    fetch(request, env, ctx) {
      app ??= compose(env, bootGeneralRuntime);
      return app.fetch(request, env, ctx);
    },
  };
}

function compose(env: EdgeEnv, bootGeneralRuntime: BootGeneralRuntime): ReturnType<typeof createApp> {
  const sources = new ModelSources(
    [
      { name: 'r2', store: createR2ModelStore(env.MODELS) },
      ...(env.MODELS_KV ? [{ name: 'kv', store: createKvModelStore(env.MODELS_KV) }] : []),
    ],
    (source, key, error) =>
      writeLog('error', { event: 'model_source_failed', source, key, code: toCode(error), error }),
  );
  const catalog = new CatalogReader(sources, createWorkersSha256, {
    ttlMs: Number(env.CATALOG_TTL_SECONDS) * 1000,
  });
  const sessions = new SessionCache({
    sources,
    createSha256: createWorkersSha256,
    bootRuntime: async (name) =>
      name === 'resnet-int8'
        ? createResnetInt8({ plain, relaxed }, parseKernelChoice(env.ENGINE_KERNELS))
        : await bootGeneralRuntime(),
    onLoaded: ({ model, memoryBytes, bootedMs, fetchedMs, createdMs }) =>
      writeLog('info', {
        event: 'model_loaded',
        model,
        runtime_memory_bytes: memoryBytes,
        booted_ms: bootedMs,
        fetched_ms: fetchedMs,
        created_ms: createdMs,
      }),
  });
  return createApp({
    catalog,
    sessions,
    serverTiming: env.SERVER_TIMING === 'on',
    image: { loadWebpModule: () => webpWasm },
    ...(env.IMAGES && { transcode: createCloudflareImagesTranscode(env.IMAGES) }),
    log: writeLog,
  });
}

function writeLog(level: 'info' | 'error', fields: Readonly<Record<string, unknown>>): void {
  const { error, ...rest } = fields;
  const line = JSON.stringify({ level, ...rest, ...(error === undefined ? {} : { error: describe(error) }) });
  // biome-ignore lint/suspicious/noConsole: a Worker's console is its log.
  console[level](line);
}

function toCode(error: unknown): string {
  return error instanceof CodedError ? error.code : 'internal';
}

function describe(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error);
  return { message: error.message, stack: error.stack, cause: error.cause && describe(error.cause) };
}
