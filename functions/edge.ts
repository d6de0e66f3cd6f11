import webpWasm from '@jsquash/webp/codec/dec/webp_dec.wasm';
import ortWasm from 'onnxruntime-web/ort-wasm-simd-threaded.wasm';
import type { BatchServices } from '../src/batch/batch-services.ts';
import kernels from '../src/engine/kernels.wasm';
import { CodedError } from '../src/errors.ts';
import { createApp } from '../src/http/app.ts';
import { bootOrtWeb } from '../src/inference/ort-web.ts';
import { createResnetInt8 } from '../src/inference/resnet-int8.ts';
import { CatalogReader } from '../src/model/catalog-reader.ts';
import { createKvModelStore } from '../src/model/kv-model-store.ts';
import { ModelSources } from '../src/model/model-sources.ts';
import { createR2ModelStore } from '../src/model/r2-model-store.ts';
import { SessionCache } from '../src/model/session-cache.ts';
import { createWorkersSha256 } from '../src/model/sha256-workers.ts';
import { createCloudflareImagesTranscode } from '../src/transcode/cloudflare-images.ts';

import { type BatchEnv, composeBatches } from './edge-batches.ts';

/** Bindings that a deployment may leave out; wrangler.toml shows how to add them. */
type EdgeEnv = Env & BatchEnv & { readonly IMAGES?: ImagesBinding; readonly MODELS_KV?: KVNamespace };

/** One app per isolate: sessions and manifests outlive a request. */
let edge: Edge | undefined;

interface Edge {
  readonly app: ReturnType<typeof createApp>;
  readonly batches: BatchServices;
}

function compose(env: EdgeEnv): Edge {
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
      name === 'resnet-int8' ? createResnetInt8(kernels) : await bootOrtWeb(ortWasm),
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
  const image = { loadWebpModule: () => webpWasm };
  const transcode = env.IMAGES && createCloudflareImagesTranscode(env.IMAGES);
  const batches = composeBatches(env, {
    catalog,
    image,
    transcode,
    log: writeLog,
    async findModel(name, version) {
      const manifest = await catalog.readManifest(name, version);
      return {
        manifest,
        labels: catalog.readLabels(manifest),
        // A consumer has no client that could go away: nothing but it keeps the load alive.
        withSession: (use) => sessions.withSession(manifest, () => undefined, use),
      };
    },
  });
  const app = createApp({
    catalog,
    sessions,
    batches,
    serverTiming: env.SERVER_TIMING === 'on',
    image,
    ...(transcode && { transcode }),
    log: writeLog,
  });
  return { app, batches };
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

export default {
  fetch(request, env, ctx) {
    edge ??= compose(env);
    return edge.app.fetch(request, env, ctx);
  },
  async queue({ queue, messages }, env) {
    edge ??= compose(env);
    const { batches } = edge;
    if (queue === 'resnet-edge-chunks') await batches.consumeChunks(messages);
    else if (queue === 'resnet-edge-chunks-dead') await batches.consumeDeadChunks(messages);
    else if (queue === 'resnet-edge-webhooks') await batches.consumeDeliveries(messages);
    else writeLog('error', { event: 'queue_unknown', queue });
  },
  async scheduled(_controller, env) {
    edge ??= compose(env);
    await edge.batches.sweep();
  },
} satisfies ExportedHandler<EdgeEnv>;
