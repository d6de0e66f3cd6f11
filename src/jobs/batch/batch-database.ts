import type { D1Database, Queue, R2Bucket } from '@cloudflare/workers-types';
import { CodedError } from '../../errors.ts';
import { batchChunkItems } from '../../limits.ts';
import type { WebhookKey } from '../webhook/standard-webhook.ts';
import type { Batch, ChunkMessage, DeliveryMessage } from './batch.ts';
import { createBatchId } from './batch-id.ts';
import type { BatchCaller, BatchInputs } from './batch-inputs.ts';
import { BatchStore } from './batch-store.ts';
import { toBatchJson } from './batch-wire.ts';
import { createQueueSender, type DeliveryQueue } from './chunk-queue.ts';
import { ChunkStore } from './chunk-store.ts';
import type { Delivery } from './delivery.ts';
import { DeliveryStore } from './delivery-store.ts';
import { createImageGatherer } from './image-gatherer.ts';
import { ResultsStore } from './results-store.ts';
import type { RunServices } from './run-chunk.ts';
import { streamEvents } from './stream-events.ts';
import { streamResults } from './stream-results.ts';
import { type SubmitServices, type SubmittedBatch, submitBatch } from './submit-batch.ts';
import { sweep } from './sweep.ts';

/** Services that the batches of all databases share. */
export interface BatchDatabaseConfiguration {
  readonly bucket: R2Bucket;
  readonly chunkQueue: Queue<ChunkMessage>;
  readonly deliveryQueue: Queue<DeliveryMessage>;
  /** The bucket with the objects that `r2_key` names. */
  readonly imageBucket: R2Bucket | undefined;
  readonly resolveModel: SubmitServices['resolveModel'];
  readonly runnerOf: RunServices['runnerOf'];
  readonly fetchImage: (url: string) => Promise<Uint8Array>;
  readonly assertPublicUrl: (url: string) => Promise<void>;
  /** Empty: no webhooks can be asked for. */
  readonly webhookKeys: readonly WebhookKey[];
  readonly retentionMs: number;
  readonly maxPendingItems: number;
  readonly stallMs: number;
}

/** For batches up to this size the webhook contains the results. */
const maxInlineResults = batchChunkItems;

/** Batches that lie in one database, with their chunks and deliveries. */
export class BatchDatabase {
  readonly store: BatchStore;
  readonly deliveries: DeliveryStore;
  /** Services that run its chunks. */
  readonly run: RunServices;
  readonly #chunks: ChunkStore;
  readonly #results: ResultsStore;
  readonly #configuration: BatchDatabaseConfiguration;
  readonly #submit: SubmitServices;
  readonly #deliveryQueue: DeliveryQueue;

  /** @param number of the database, from 1; ids and messages contain it. */
  constructor(number: number, db: D1Database, configuration: BatchDatabaseConfiguration) {
    const { bucket, imageBucket, fetchImage, webhookKeys } = configuration;
    this.#configuration = configuration;
    this.store = new BatchStore(db);
    this.deliveries = new DeliveryStore(db);
    this.#chunks = new ChunkStore(db);
    this.#results = new ResultsStore(bucket);
    this.run = {
      store: this.store,
      chunks: this.#chunks,
      results: this.#results,
      gatherer: createImageGatherer({ batchBucket: bucket, imageBucket, fetchImage }),
      runnerOf: configuration.runnerOf,
    };
    this.#submit = {
      ...configuration,
      createId: () => createBatchId(number),
      store: this.store,
      chunks: this.#chunks,
      queue: createQueueSender(configuration.chunkQueue),
      assertPublicUrl: async (url) => {
        if (webhookKeys.length === 0) throw noWebhooks();
        await configuration.assertPublicUrl(url);
      },
    };
    const sender = createQueueSender(configuration.deliveryQueue);
    this.#deliveryQueue = {
      // Messages of the first database have no number, so that an older version, which knew only one database, reads them.
      send: (messages) =>
        sender.send(number === 1 ? messages : messages.map((body) => ({ ...body, database: number }))),
    };
  }

  /** @see submitBatch */
  submit(inputs: BatchInputs, caller: BatchCaller): Promise<SubmittedBatch> {
    return submitBatch(inputs, caller, this.#submit);
  }

  /** @see streamResults */
  streamResults(batch: Batch, cursor: number) {
    return streamResults(batch, cursor, this.#chunks, this.#results);
  }

  streamEvents(id: string, signal: AbortSignal) {
    return streamEvents(id, this.store, signal);
  }

  async cancel(batch: Batch): Promise<boolean> {
    const canceled = await this.store.cancel(batch.id);
    await this.sendOwedWebhooks(batch.id);
    return canceled;
  }

  /** Sends the messages of a batch's webhooks that nobody has tried to deliver yet. */
  async sendOwedWebhooks(batchId: string): Promise<void> {
    const owed = await this.deliveries.findNew(batchId);
    await this.#deliveryQueue.send(owed.map((id) => ({ delivery_id: id })));
  }

  /** The body of an event; undefined if the batch is gone. */
  async toPayload({ batchId, type, createdAt }: Delivery): Promise<string | undefined> {
    const batch = await this.store.find(batchId);
    if (!batch) return undefined;
    const results =
      batch.total <= maxInlineResults
        ? Array.from(await this.#results.read(batchId, 0), ([index, result]) => ({ index, ...result }))
        : undefined;
    return JSON.stringify({
      type,
      timestamp: new Date(createdAt).toISOString(),
      data: { ...toBatchJson(batch), ...(results && { results }) },
    });
  }

  /** @see sweep */
  sweep() {
    const { bucket, stallMs } = this.#configuration;
    return sweep({
      store: this.store,
      chunks: this.#chunks,
      deliveries: this.deliveries,
      bucket,
      stallMs,
      queue: this.#submit.queue,
      deliveryQueue: this.#deliveryQueue,
    });
  }
}

function noWebhooks(): CodedError {
  return new CodedError('option_invalid', 'webhook_url: this deployment has no webhook secret to sign with.');
}
