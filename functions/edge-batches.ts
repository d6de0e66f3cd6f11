import type { Batch, ChunkMessage, DeliveryMessage } from '../src/batch/batch.ts';
import { BatchServices } from '../src/batch/batch-services.ts';
import type { ChunkRunner } from '../src/batch/chunk-runner.ts';
import { createEdgeRunner, type EdgeRunnerOptions } from '../src/batch/edge-runner.ts';
import { createNodeTierRunner } from '../src/batch/node-tier-runner.ts';
import { CodedError } from '../src/errors.ts';
import { toProblem } from '../src/http/problem.ts';
import { maxBodyBytes } from '../src/limits.ts';
import type { CatalogReader } from '../src/model/catalog-reader.ts';
import { createWorkersSha256 } from '../src/model/sha256-workers.ts';
import { fetchPublic } from '../src/net/fetch-public.ts';
import { assertAllowedUrl, type UrlPolicy } from '../src/net/url-policy.ts';
import { parseWebhookSecret } from '../src/webhook/standard-webhook.ts';
import { parseWebhookSources } from '../src/webhook/webhook-source.ts';

/** Bindings and variables of batches; those with `?` may be left out. */
export interface BatchEnv {
  readonly BATCHES_DB: D1Database;
  readonly BATCHES: R2Bucket;
  readonly BATCH_CHUNKS: Queue<ChunkMessage>;
  readonly BATCH_WEBHOOKS: Queue<DeliveryMessage>;
  readonly NODE_TIER_URL?: string;
  readonly NODE_TIER_SECRET?: string;
  readonly WEBHOOK_SECRETS?: string;
  readonly WEBHOOK_SOURCES?: string;
  readonly WEBHOOK_RETRY_SECONDS?: string;
  /** Where webhooks may go, as IMAGE_URL_ALLOW says it. */
  readonly WEBHOOK_URL_ALLOW?: string;
  readonly BATCH_RETENTION_HOURS?: string;
  readonly BATCH_STALL_SECONDS?: string;
  readonly BATCH_RETRY_BASE_SECONDS?: string;
}

interface EdgeParts {
  readonly catalog: CatalogReader;
  readonly findModel: EdgeRunnerOptions['findModel'];
  readonly image: EdgeRunnerOptions['image'];
  readonly transcode: EdgeRunnerOptions['transcode'];
  /** What `r2_key` names. */
  readonly imageBucket: R2Bucket | undefined;
  readonly urls: UrlPolicy;
  readonly log: (level: 'info' | 'error', fields: Readonly<Record<string, unknown>>) => void;
}

export function composeBatches(env: BatchEnv, parts: EdgeParts): BatchServices {
  const { catalog, findModel, image, transcode, imageBucket, urls, log } = parts;
  const edge = createEdgeRunner({ findModel, image, transcode, toProblem });
  const node = env.NODE_TIER_URL
    ? createNodeTierRunner({ url: env.NODE_TIER_URL, secret: env.NODE_TIER_SECRET ?? '' })
    : undefined;
  const webhookUrls = { ...urls, allow: (env.WEBHOOK_URL_ALLOW ?? '').split(/[\s,]+/).filter(Boolean) };
  const webhookStep = Number(env.WEBHOOK_RETRY_SECONDS);
  const secrets = env as unknown as Readonly<Record<string, unknown>>;
  return new BatchServices({
    db: env.BATCHES_DB,
    bucket: env.BATCHES,
    chunkQueue: env.BATCH_CHUNKS,
    deliveryQueue: env.BATCH_WEBHOOKS,
    imageBucket,
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
    fetchImage: (url) => fetchPublic(url, urls, { maxBytes: maxBodyBytes }),
    postWebhook: async (url, init) =>
      await fetch(await assertAllowedUrl(url, webhookUrls), { ...init, redirect: 'manual' }),
    async assertPublicUrl(url) {
      await assertAllowedUrl(url, webhookUrls);
    },
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
