import { AccessPolicy } from '../src/http/access/access-policy.ts';
import { createApp } from '../src/http/app.ts';
import { BodyBudget } from '../src/http/body-budget.ts';
import { resolveHost } from '../src/lib/net/resolve-host.ts';
import { Metrics } from '../src/lib/observe/metrics.ts';
import { writeLog } from '../src/lib/observe/write-log.ts';
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
import { createWorkersSha256 } from '../src/model/sha256-workers.ts';
import { createNodeTierDelegate } from '../src/tier/client/node-tier-delegate.ts';
import { toDataPoints } from './edge-analytics.ts';
import { type BatchBindings, composeBatches } from './edge-batches.ts';
import { type ClassifierBindings, composeClassifiers } from './edge-classifiers.ts';
import { composeClassify } from './edge-classify.ts';
import {
  type BootGeneralRuntime,
  composeModels,
  type ModelBindings,
  refuseOtherGraphs,
} from './edge-models.ts';
import { composeObjects } from './edge-objects.ts';
import { composeRunners } from './edge-runners.ts';
import type { PhoneFormats } from './phone-formats.ts';
import { parseSettings } from './settings.ts';
import { parseTierSettings } from './tier-settings.ts';

/**
 * The bindings of a deployment; wrangler.toml shows them. Only MODELS is required. Variables are read from the same object
 * by their names; docs/operate.md lists them.
 */
export interface EdgeEnv extends Partial<BatchBindings>, ClassifierBindings, ModelBindings {
  readonly ASSETS?: Fetcher;
  readonly RATE_LIMITER?: RateLimit;
  readonly ANALYTICS?: AnalyticsEngineDataset;
  readonly API_KEYS?: string;
  readonly IMAGES?: ImagesBinding;
  readonly IMAGES_BUCKET?: R2Bucket;
  /** A client certificate (`mtls_certificates`) for the Node tier. */
  readonly NODE_TIER_CERTIFICATE?: Fetcher;
  readonly UPLOAD_TOKEN_SECRET?: string;
}

/**
 * Makes everything that an isolate needs, once. Only functions/ constructs adapters.
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
  const { catalog, sessions, heads } = composeModels(env, {
    settings,
    metrics,
    bootGeneralRuntime,
    findVersion: async (name) => await classifiers?.findServedVersion(name),
  });
  const classifier = composeClassify(env, {
    settings,
    metrics,
    formats,
    catalog,
    sessions,
    heads,
    ...(nodeTier && tierSettings.delegates && { delegate: createNodeTierDelegate(nodeTier) }),
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
    bodies: createBodyBudget(),
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

function createBodyBudget(): BodyBudget {
  return new BodyBudget({
    capacity: maxBodiesInFlightBytes,
    smallBodyRoom: smallBodyRoomBytes,
    maxSmallBody: maxSmallBodyBytes,
    callerShare: callerBodiesShareBytes,
    paceMs: bodyTimeoutMs,
    borrowedPaceMs: borrowedBodyTimeoutMs,
    maxWaiting: maxWaitingRequests,
    maxHoldMs,
  });
}
