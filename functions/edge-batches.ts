import type { Batch, ChunkMessage, DeliveryMessage } from '../src/batch/batch.ts';
import { BatchServices } from '../src/batch/batch-services.ts';
import { type ChunkRunner, TierTrouble } from '../src/batch/chunk-runner.ts';
import { createEdgeRunner, type EdgeRunnerOptions } from '../src/batch/edge-runner.ts';
import { createNodeTierRunner } from '../src/batch/node-tier-runner.ts';
import { CodedError } from '../src/errors.ts';
import { toProblem } from '../src/http/problem.ts';
import { maxBodyBytes } from '../src/limits.ts';
import type { CatalogReader } from '../src/model/catalog-reader.ts';
import { createWorkersSha256 } from '../src/model/sha256-workers.ts';
import { fetchPublic } from '../src/net/fetch-public.ts';
import { assertAllowedUrl, type UrlPolicy } from '../src/net/url-policy.ts';
import type { BatchSettings } from './batch-settings.ts';

/** Without all of these a deployment has no batches. */
export interface BatchBindings {
  readonly BATCHES_DB: D1Database;
  readonly BATCHES: R2Bucket;
  readonly BATCH_CHUNKS: Queue<ChunkMessage>;
  readonly BATCH_WEBHOOKS: Queue<DeliveryMessage>;
}

type BatchEnv = Partial<BatchBindings> & { readonly IMAGES_BUCKET?: R2Bucket };

interface EdgeParts {
  readonly catalog: CatalogReader;
  readonly urls: UrlPolicy;
  readonly findModel: EdgeRunnerOptions['findModel'];
  readonly image: EdgeRunnerOptions['image'];
  readonly transcode: EdgeRunnerOptions['transcode'];
  readonly log: (level: 'info' | 'error', fields: Readonly<Record<string, unknown>>) => void;
}

export function composeBatches(
  env: BatchEnv,
  settings: BatchSettings,
  parts: EdgeParts,
): BatchServices | undefined {
  const { BATCHES_DB: db, BATCHES: bucket, BATCH_CHUNKS: chunkQueue, BATCH_WEBHOOKS: deliveryQueue } = env;
  if (!db || !bucket || !chunkQueue || !deliveryQueue) return undefined;
  const { catalog, urls, findModel, image, transcode, log } = parts;
  const edge = createEdgeRunner({ findModel, image, transcode, toProblem });
  const node = settings.nodeTier && createNodeTierRunner(settings.nodeTier);
  const webhookUrls: UrlPolicy = { ...urls, allow: settings.webhookUrlAllow };
  return new BatchServices({
    db,
    bucket,
    chunkQueue,
    deliveryQueue,
    imageBucket: env.IMAGES_BUCKET,
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
    runnerOf: ({ tier }: Batch): ChunkRunner => (tier === 'edge' ? edge : (node ?? missingTier)),
    toProblem,
    fetchImage: (url) => fetchPublic(url, urls, { maxBytes: maxBodyBytes }),
    postWebhook: async (url, init) => await fetch(await assertAllowedUrl(url, webhookUrls), init),
    assertPublicUrl: async (url) => void (await assertAllowedUrl(url, webhookUrls)),
    webhookKeys: settings.webhookKeys,
    sources: settings.sources,
    retentionMs: settings.retentionMs,
    stallMs: settings.stallMs,
    retryBaseSeconds: settings.retryBaseSeconds,
    concurrency: node ? 4 : 1,
    ...(settings.nextDeliveryDelay && { nextDeliveryDelay: settings.nextDeliveryDelay }),
    log,
  });
}

/** @throws {Error} so that the queue keeps the messages, if nothing here can take them. */
export async function consumeQueue(
  { queue, messages }: MessageBatch<unknown>,
  batches: BatchServices | undefined,
): Promise<void> {
  if (!batches) throw new Error(`Messages of ${queue} came to a deployment without batches.`);
  if (queue === 'resnet-edge-chunks') return await batches.consumeChunks(messages);
  if (queue === 'resnet-edge-chunks-dead') return await batches.consumeDeadChunks(messages);
  if (queue === 'resnet-edge-webhooks') return await batches.consumeDeliveries(messages);
  throw new Error(`Nothing here reads the queue ${queue}.`);
}

/** A batch that was promised to the tier waits for it: the edge does not step in unseen. */
const missingTier: ChunkRunner = {
  tier: 'node',
  // biome-ignore lint/correctness/useYield: it has nothing to give.
  async *run() {
    throw new TierTrouble('not_configured', 'NODE_TIER_URL is not set any more.');
  },
};
