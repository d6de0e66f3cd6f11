import type { Batch, ChunkMessage, DeliveryMessage } from '../src/batch/batch.ts';
import { BatchServices } from '../src/batch/batch-services.ts';
import type { ChunkRunner } from '../src/batch/chunk-runner.ts';
import { createEdgeRunner, type EdgeRunnerOptions } from '../src/batch/edge-runner.ts';
import { createNodeTierRunner } from '../src/batch/node-tier-runner.ts';
import { CodedError } from '../src/errors.ts';
import { toProblem } from '../src/http/problem.ts';
import type { CatalogReader } from '../src/model/catalog-reader.ts';
import { createWorkersSha256 } from '../src/model/sha256-workers.ts';
import { parseWebhookSecret } from '../src/webhook/standard-webhook.ts';
import { parseWebhookSources } from '../src/webhook/webhook-source.ts';

/** Bindings and variables of batches; those with `?` may be left out. */
export interface BatchEnv {
  readonly BATCHES_DB: D1Database;
  readonly BATCHES: R2Bucket;
  readonly BATCH_CHUNKS: Queue<ChunkMessage>;
  readonly BATCH_WEBHOOKS: Queue<DeliveryMessage>;
  readonly UPLOADS?: R2Bucket;
  readonly NODE_TIER_URL?: string;
  readonly NODE_TIER_SECRET?: string;
  readonly NODE_TIER_CONNECT_MS?: string;
  readonly NODE_TIER_SILENCE_MS?: string;
  readonly WEBHOOK_SECRETS?: string;
  readonly WEBHOOK_SOURCES?: string;
  readonly WEBHOOK_RETRY_SECONDS?: string;
  readonly URL_ALLOW_ORIGINS?: string;
  readonly BATCH_RETENTION_HOURS?: string;
  readonly BATCH_STALL_SECONDS?: string;
  readonly BATCH_RETRY_BASE_SECONDS?: string;
}

interface EdgeParts {
  readonly catalog: CatalogReader;
  readonly findModel: EdgeRunnerOptions['findModel'];
  readonly image: EdgeRunnerOptions['image'];
  readonly transcode: EdgeRunnerOptions['transcode'];
  readonly log: (level: 'info' | 'error', fields: Readonly<Record<string, unknown>>) => void;
}

export function composeBatches(env: BatchEnv, parts: EdgeParts): BatchServices {
  const { catalog, findModel, image, transcode, log } = parts;
  const edge = createEdgeRunner({ findModel, image, transcode, toProblem });
  const node = env.NODE_TIER_URL
    ? createNodeTierRunner({
        url: env.NODE_TIER_URL,
        secret: env.NODE_TIER_SECRET ?? '',
        ...(env.NODE_TIER_CONNECT_MS && { connectMs: Number(env.NODE_TIER_CONNECT_MS) }),
        ...(env.NODE_TIER_SILENCE_MS && { silenceMs: Number(env.NODE_TIER_SILENCE_MS) }),
      })
    : undefined;
  const allowed = new Set((env.URL_ALLOW_ORIGINS ?? '').split(/[\s,]+/).filter(Boolean));
  const assertAllowed = (url: string) => {
    if (URL.canParse(url) && allowed.has(new URL(url).origin)) return;
    throw new CodedError('option_invalid', 'Nothing is sent to or fetched from this origin.');
  };
  const webhookStep = Number(env.WEBHOOK_RETRY_SECONDS);
  const secrets = env as unknown as Readonly<Record<string, unknown>>;
  return new BatchServices({
    db: env.BATCHES_DB,
    bucket: env.BATCHES,
    chunkQueue: env.BATCH_CHUNKS,
    deliveryQueue: env.BATCH_WEBHOOKS,
    imageBucket: env.UPLOADS,
    createSha256: createWorkersSha256,
    async resolveModel(name) {
      const { name: model, version: modelVersion, tier } = await catalog.readManifest(name);
      if (tier === 'batch' && !node) {
        throw new CodedError(
          'model_requires_batch_tier',
          `${model} needs the Node tier, which is not configured.`,
        );
      }
      return { model, modelVersion, tier: node ? 'node' : 'edge' };
    },
    runnerOf: (batch: Batch): ChunkRunner => (batch.tier === 'node' && node ? node : edge),
    toProblem,
    fetchImage: async (url) => {
      assertAllowed(url);
      return await fetchImage(url);
    },
    postWebhook: async (url, init) => {
      assertAllowed(url);
      return await fetch(url, init);
    },
    assertPublicUrl: assertAllowed,
    webhookKeys: (env.WEBHOOK_SECRETS ?? '').split(/\s+/).filter(Boolean).map(parseWebhookSecret),
    sources: parseWebhookSources(env.WEBHOOK_SOURCES, (name) => {
      const secret = secrets[name];
      return typeof secret === 'string' ? secret : undefined;
    }),
    retentionMs: Number(env.BATCH_RETENTION_HOURS ?? 72) * 3_600_000,
    stallMs: Number(env.BATCH_STALL_SECONDS ?? 3600) * 1000,
    retryBaseSeconds: Number(env.BATCH_RETRY_BASE_SECONDS ?? 5),
    concurrency: node ? 4 : 1,
    ...(webhookStep > 0 && { nextDeliveryDelay: (attempts) => (attempts < 10 ? webhookStep : undefined) }),
    log,
  });
}

async function fetchImage(url: string): Promise<Uint8Array> {
  const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(5000) }).catch(
    (cause) => {
      throw new CodedError('image_not_found', 'The URL did not answer.', { cause, retryAfterSeconds: 1 });
    },
  );
  if (response.ok) return new Uint8Array(await response.arrayBuffer());
  await response.body?.cancel();
  const mayPass = response.status >= 500 || response.status === 429;
  throw new CodedError(
    'image_not_found',
    `The URL answered ${response.status}.`,
    mayPass ? { retryAfterSeconds: 1 } : {},
  );
}
