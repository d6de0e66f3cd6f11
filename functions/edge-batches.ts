import type { ChunkMessage, DeliveryMessage } from '../src/jobs/batch/batch.ts';
import { BatchServices } from '../src/jobs/batch/batch-services.ts';
import type { ClassifierServices } from '../src/jobs/classifiers/classifier-services.ts';
import type { ObjectLabels } from '../src/jobs/objects/object-labels.ts';
import { fetchPublic } from '../src/lib/net/fetch-public.ts';
import { assertAllowedUrl, type UrlPolicy } from '../src/lib/net/url-policy.ts';
import type { Log } from '../src/lib/observe/write-log.ts';
import { maxBodyBytes } from '../src/limits.ts';
import { type ChunkRunner, TierTrouble } from '../src/tier/client/chunk-runner.ts';
import { parseBatchSettings } from './batch-settings.ts';
import { readBatchDatabases } from './edge-databases.ts';
import type { EdgeRunners } from './edge-runners.ts';

/** Without all of these a deployment has no batches. Further databases are BATCHES_DB_2 and so on (edge-databases.ts). */
export interface BatchBindings {
  readonly BATCHES_DB: D1Database;
  readonly BATCHES: R2Bucket;
  readonly BATCH_CHUNKS: Queue<ChunkMessage>;
  readonly BATCH_WEBHOOKS: Queue<DeliveryMessage>;
}

export type BatchEnv = Partial<BatchBindings> & { readonly IMAGES_BUCKET?: R2Bucket };

export interface EdgeParts {
  readonly runners: EdgeRunners;
  readonly urls: UrlPolicy;
  readonly log: Log;
}

/** @throws {CodedError} `configuration_invalid`, in a deployment that has the bindings of batches. */
export function composeBatches(
  env: BatchEnv,
  { runners: { edge, embedding, node, resolveModel }, urls, log }: EdgeParts,
): BatchServices | undefined {
  const { BATCHES: bucket, BATCH_CHUNKS: chunkQueue, BATCH_WEBHOOKS: deliveryQueue } = env;
  const databases = readBatchDatabases(env);
  if (databases.length === 0 || !bucket || !chunkQueue || !deliveryQueue) return undefined;
  const settings = parseBatchSettings(env);
  const webhookUrls: UrlPolicy = { ...urls, allow: settings.webhookUrlAllow };
  return new BatchServices({
    databases,
    bucket,
    chunkQueue,
    deliveryQueue,
    imageBucket: env.IMAGES_BUCKET,
    resolveModel,
    runnerOf: ({ task, tier }) =>
      task === 'embed' ? embedding : tier === 'edge' ? edge : (node ?? missingTier),
    fetchImage: (url) => fetchPublic(url, urls, { maxBytes: maxBodyBytes }),
    postWebhook: async (url, init) => await fetch(await assertAllowedUrl(url, webhookUrls), init),
    assertPublicUrl: async (url) => void (await assertAllowedUrl(url, webhookUrls)),
    webhookKeys: settings.webhookKeys,
    sources: settings.sources,
    retentionMs: settings.retentionMs,
    maxPendingItems: settings.maxPendingItems,
    stallMs: settings.stallMs,
    retryBaseSeconds: settings.retryBaseSeconds,
    concurrency: node ? 4 : 1,
    ...(settings.nextDeliveryDelay && { nextDeliveryDelay: settings.nextDeliveryDelay }),
    log,
  });
}

export interface Consumers {
  readonly batches: BatchServices | undefined;
  readonly classifiers: ClassifierServices | undefined;
  readonly objects: ObjectLabels | undefined;
}

/** @throws {Error} if nothing here can take the messages. The queue then keeps them. */
export async function consumeQueue(
  { queue, messages }: MessageBatch<unknown>,
  { batches, classifiers, objects }: Consumers,
): Promise<void> {
  // The names of queues end alike in each environment of wrangler.toml.
  const consumers: Readonly<Record<string, ((of: typeof messages) => Promise<void>) | undefined>> = {
    '-chunks': batches && ((of) => batches.consumeChunks(of)),
    '-chunks-dead': batches && ((of) => batches.consumeDeadChunks(of)),
    '-webhooks': batches && ((of) => batches.consumeDeliveries(of)),
    '-lessons': classifiers && ((of) => classifiers.consume(of)),
    '-lessons-dead': classifiers && ((of) => classifiers.consumeDead(of)),
    '-objects': objects && ((of) => objects.consume(of)),
    '-objects-dead': objects && ((of) => objects.consumeDead(of)),
  };
  const consume = Object.entries(consumers).find(([ending]) => queue.endsWith(ending))?.[1];
  if (!consume) throw new Error(`This deployment is not configured for the queue ${queue}.`);
  await consume(messages);
}

/** A batch that was promised to the tier waits for the tier. The edge does not run it instead. */
const missingTier: ChunkRunner = {
  tier: 'node',
  // biome-ignore lint/correctness/useYield: it has nothing to give.
  async *run() {
    throw new TierTrouble('not_configured', 'NODE_TIER_URL is not set any more.');
  },
};
