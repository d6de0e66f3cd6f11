import webpWasm from '@jsquash/webp/codec/dec/webp_dec.wasm';
import { createCacheApiAnswers } from '../src/classify/answers/cache-api-answers.ts';
import { Classifier } from '../src/classify/classifier.ts';
import { createCloudflareImagesTranscode } from '../src/classify/cloudflare-images.ts';
import { Gate } from '../src/classify/gate.ts';
import plain from '../src/engine/kernels-plain.wasm';
import relaxed from '../src/engine/kernels-relaxed.wasm';
import { CodedError } from '../src/errors.ts';
import { AccessPolicy } from '../src/http/access/access-policy.ts';
import { createApp } from '../src/http/app.ts';
import { BodyBudget } from '../src/http/body-budget.ts';
import type { RequestRecord } from '../src/http/context.ts';
import { PixelRoutines } from '../src/image/pixel-arena.ts';
import pixelRoutines from '../src/image/pixel-routines.wasm';
import { createResnetInt8 } from '../src/inference/resnet-int8.ts';
import type { InferenceRuntime } from '../src/inference/session.ts';
import { resolveHost } from '../src/lib/net/resolve-host.ts';
import { Metrics } from '../src/lib/observe/metrics.ts';
import { toCode, writeLog } from '../src/lib/observe/write-log.ts';
import { readR2Object } from '../src/lib/read-r2-object.ts';
import {
  bodyTimeoutMs,
  borrowedBodyTimeoutMs,
  callerBodiesShareBytes,
  maxBodiesInFlightBytes,
  maxHoldMs,
  maxSmallBodyBytes,
  maxWaitingRequests,
  smallBodyRoomBytes,
} from '../src/limits.ts';
import { CatalogReader } from '../src/model/catalog-reader.ts';
import { HeadCache } from '../src/model/head-cache.ts';
import { createKvModelStore } from '../src/model/kv-model-store.ts';
import { ModelSources } from '../src/model/model-sources.ts';
import { createR2ModelStore } from '../src/model/r2-model-store.ts';
import { SessionCache } from '../src/model/session-cache.ts';
import { createWorkersSha256 } from '../src/model/sha256-workers.ts';
import { createNodeTierDelegate } from '../src/tier/client/node-tier-delegate.ts';
import { type BatchBindings, composeBatches } from './edge-batches.ts';
import { type ClassifierBindings, composeClassifiers } from './edge-classifiers.ts';
import { composeObjects } from './edge-objects.ts';
import { composeRunners } from './edge-runners.ts';
import type { PhoneFormats } from './phone-formats.ts';
import { parseSettings } from './settings.ts';
import { parseTierSettings } from './tier-settings.ts';

/**
 * What a deployment binds; wrangler.toml shows how. All but the models may be left out. Variables are read from the same
 * object by their names: docs/operate.md has them.
 */
export interface EdgeEnv extends Partial<BatchBindings>, ClassifierBindings {
  readonly MODELS: R2Bucket;
  readonly ASSETS?: Fetcher;
  readonly RATE_LIMITER?: RateLimit;
  readonly ANALYTICS?: AnalyticsEngineDataset;
  readonly API_KEYS?: string;
  readonly IMAGES?: ImagesBinding;
  readonly IMAGES_BUCKET?: R2Bucket;
  readonly MODELS_KV?: KVNamespace;
  /** A client certificate (`mtls_certificates`) for the Node tier. */
  readonly NODE_TIER_CERTIFICATE?: Fetcher;
  readonly UPLOAD_TOKEN_SECRET?: string;
}

/** What runs graphs that the int8 engine does not. */
export type BootGeneralRuntime = () => Promise<InferenceRuntime>;

/**
 * Everything an isolate needs, made once: the only place where adapters meet the product.
 *
 * @param formats decoders of HEIC and AVIF; without them both are refused.
 * @throws {CodedError} `configuration_invalid`.
 */
export function composeEdge(
  env: EdgeEnv,
  bootGeneralRuntime: BootGeneralRuntime = refuseOtherGraphs,
  formats: PhoneFormats = {},
) {
  const settings = parseSettings(env);
  const tierSettings = parseTierSettings(env);
  const { NODE_TIER_CERTIFICATE: certificate } = env;
  const nodeTier = tierSettings.nodeTier && {
    ...tierSettings.nodeTier,
    ...(certificate && { fetch: certificate.fetch.bind(certificate) }),
  };
  const metrics = new Metrics();
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
    findVersion: async (name) => await classifiers?.findServedVersion(name),
  });
  const sessions = new SessionCache({
    sources,
    createSha256: createWorkersSha256,
    bootRuntime: async (name) =>
      name === 'resnet-int8'
        ? createResnetInt8({ plain, relaxed }, settings.engineKernels)
        : await bootGeneralRuntime(),
    onLoaded({ model, memoryBytes, bootedMs, fetchedMs, createdMs }) {
      metrics.add('resnet_edge_model_loads_total', { model });
      writeLog('info', {
        event: 'model_loaded',
        model,
        runtime_memory_bytes: memoryBytes,
        booted_ms: bootedMs,
        fetched_ms: fetchedMs,
        created_ms: createdMs,
      });
    },
  });
  const image = { loadWebpModule: () => webpWasm, ...formats, routines: new PixelRoutines(pixelRoutines) };
  const transcode = env.IMAGES && createCloudflareImagesTranscode(env.IMAGES);
  const gate = { maxWaiting: maxWaitingRequests, maxHoldMs };
  const classifier = new Classifier({
    catalog,
    sessions,
    heads: new HeadCache(sources, createWorkersSha256),
    decoding: new Gate({ capacity: 1, ...gate }),
    image,
    ...(transcode && { transcode }),
    ...(settings.answerCacheSeconds > 0 && {
      answers: createCacheApiAnswers(caches.default, settings.answerCacheSeconds),
    }),
    ...(nodeTier && tierSettings.delegates && { delegate: createNodeTierDelegate(nodeTier) }),
    onDelegated: (reason, outcome) => metrics.add('resnet_edge_delegated_images_total', { reason, outcome }),
    onWarning: (event, error) => writeLog('error', { event, error }),
  });
  const { IMAGES_BUCKET: bucket, RATE_LIMITER: limiter } = env;
  const urls = { allow: settings.imageUrlAllow, resolveHost };
  const runners = composeRunners({
    nodeTier,
    catalog,
    classifier,
  });
  const parts = { runners, urls, log: writeLog };
  const batches = composeBatches(env, parts);
  const objects = composeObjects(env, parts);
  const classifiers = composeClassifiers(env, { classifier, catalog, urls, log: writeLog });
  const app = createApp({
    catalog,
    sessions,
    classifier,
    access: new AccessPolicy(settings.access),
    createSha256: createWorkersSha256,
    bodies: new BodyBudget({
      capacity: maxBodiesInFlightBytes,
      smallBodyRoom: smallBodyRoomBytes,
      maxSmallBody: maxSmallBodyBytes,
      callerShare: callerBodiesShareBytes,
      paceMs: bodyTimeoutMs,
      borrowedPaceMs: borrowedBodyTimeoutMs,
      ...gate,
    }),
    metrics,
    serverTiming: settings.serverTiming,
    logAnswers: settings.logAnswers,
    sharesAnswers: settings.sharesAnswers,
    ...(limiter &&
      settings.rateLimit.requests > 0 && {
        rateLimit: {
          take: async (key: string) => (await limiter.limit({ key })).success,
          ...settings.rateLimit,
        },
      }),
    corsOrigins: settings.corsOrigins,
    loopbackOnly: settings.loopbackOnly,
    urls,
    batches,
    objects,
    classifiers,
    ...(bucket && { readR2Image: (key, maxBytes, hold) => readR2Object(bucket, key, maxBytes, hold) }),
    modelAliases: settings.modelAliases,
    ...(env.ASSETS && { assets: env.ASSETS }),
    log: writeLog,
    ...(env.ANALYTICS && { onRequest: toDataPoints(env.ANALYTICS) }),
  });
  return { app, batches, classifiers, objects };
}

async function refuseOtherGraphs(): Promise<never> {
  throw new CodedError(
    'model_manifest_invalid',
    'This deployment has the int8 engine alone; the model needs onnxruntime-web.',
  );
}

/** One row a request in Workers Analytics Engine: what the log says, in columns. */
function toDataPoints(dataset: AnalyticsEngineDataset): (record: RequestRecord) => void {
  return ({ route, outcome, model, principal, answerOrigin, tier, status, ...figures }) =>
    dataset.writeDataPoint({
      indexes: [principal ?? 'none'],
      blobs: [route, outcome, model ?? '', answerOrigin ?? '', tier ?? ''],
      doubles: [
        status,
        figures.durationMs,
        figures.images ?? 0,
        figures.imageBytes ?? 0,
        figures.imagePixels ?? 0,
      ],
    });
}
