import type { D1Database, Message, Queue, R2Bucket } from '@cloudflare/workers-types';
import { CodedError } from '../../errors.ts';
import type { nextDeliveryDelay } from '../../lib/retry-schedule.ts';
import { batchChunkItems } from '../../limits.ts';
import type { WebhookKey } from '../webhook/standard-webhook.ts';
import type { WebhookSource } from '../webhook/webhook-source.ts';
import type { Batch, ChunkMessage, DeliveryMessage } from './batch.ts';
import type { BatchCaller, BatchInputs } from './batch-inputs.ts';
import { BatchStore } from './batch-store.ts';
import { toBatchJson } from './batch-wire.ts';
import { createQueueSender } from './chunk-queue.ts';
import { ChunkStore } from './chunk-store.ts';
import { type ConsumeOptions, consumeChunks, consumeDeadChunks } from './consume-chunks.ts';
import { consumeDeliveries } from './deliver-webhook.ts';
import type { Delivery } from './delivery.ts';
import { DeliveryStore } from './delivery-store.ts';
import { createImageGatherer } from './image-gatherer.ts';
import { ResultsStore } from './results-store.ts';
import type { RunServices } from './run-chunk.ts';
import { streamEvents } from './stream-events.ts';
import { streamResults } from './stream-results.ts';
import { type SubmitServices, type SubmittedBatch, submitBatch } from './submit-batch.ts';
import { sweep } from './sweep.ts';

export interface BatchConfiguration {
  readonly db: D1Database;
  readonly bucket: R2Bucket;
  readonly chunkQueue: Queue<ChunkMessage>;
  readonly deliveryQueue: Queue<DeliveryMessage>;
  /** What `r2_key` names. */
  readonly imageBucket: R2Bucket | undefined;
  readonly resolveModel: SubmitServices['resolveModel'];
  readonly runnerOf: RunServices['runnerOf'];
  readonly fetchImage: (url: string) => Promise<Uint8Array>;
  /** `fetch` for webhooks, with the same guard. */
  readonly postWebhook: (url: string, init: RequestInit) => Promise<Response>;
  readonly assertPublicUrl: (url: string) => Promise<void>;
  /** Empty: no webhooks can be asked for. */
  readonly webhookKeys: readonly WebhookKey[];
  readonly sources: ReadonlyMap<string, WebhookSource>;
  readonly retentionMs: number;
  readonly maxPendingItems: number;
  readonly stallMs: number;
  readonly retryBaseSeconds: number;
  /** Chunks worked on at once by one consumer. */
  readonly concurrency: number;
  /** Tests shorten the specification's schedule. */
  readonly nextDeliveryDelay?: typeof nextDeliveryDelay;
  readonly log: ConsumeOptions['log'];
}

/** Batches of this size or less have their results in the webhook itself. */
const maxInlineResults = batchChunkItems;

/** Everything about batches that HTTP, the queues and the clock call. */
export class BatchServices {
  readonly store: BatchStore;
  readonly #chunks: ChunkStore;
  readonly #results: ResultsStore;
  readonly deliveries: DeliveryStore;
  readonly sources: ReadonlyMap<string, WebhookSource>;
  readonly #configuration: BatchConfiguration;
  readonly #run: RunServices;
  readonly #submit: SubmitServices;
  readonly #consume: ConsumeOptions;

  constructor(configuration: BatchConfiguration) {
    const { db, bucket, imageBucket, fetchImage, webhookKeys } = configuration;
    this.#configuration = configuration;
    this.sources = configuration.sources;
    this.store = new BatchStore(db);
    this.#chunks = new ChunkStore(db);
    this.#results = new ResultsStore(bucket);
    this.deliveries = new DeliveryStore(db);
    this.#run = {
      store: this.store,
      chunks: this.#chunks,
      results: this.#results,
      gatherer: createImageGatherer({ batchBucket: bucket, imageBucket, fetchImage }),
      runnerOf: configuration.runnerOf,
    };
    this.#submit = {
      ...configuration,
      store: this.store,
      chunks: this.#chunks,
      queue: createQueueSender(configuration.chunkQueue),
      assertPublicUrl: async (url) => {
        if (webhookKeys.length === 0) throw noWebhooks();
        await configuration.assertPublicUrl(url);
      },
    };
    this.#consume = { ...configuration, onSettled: (batchId) => this.#sendOwedWebhooks(batchId) };
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
    await this.#sendOwedWebhooks(batch.id);
    return canceled;
  }

  consumeChunks(messages: readonly Message<unknown>[]): Promise<void> {
    return consumeChunks(messages, this.#run, this.#consume);
  }

  consumeDeadChunks(messages: readonly Message<unknown>[]): Promise<void> {
    return consumeDeadChunks(messages, this.#run, this.#consume);
  }

  consumeDeliveries(messages: readonly Message<unknown>[]): Promise<void> {
    const { webhookKeys: keys, postWebhook: post, log, nextDeliveryDelay: nextDelay } = this.#configuration;
    return consumeDeliveries(messages, {
      deliveries: this.deliveries,
      keys,
      post,
      log,
      toPayload: (delivery) => this.#toPayload(delivery),
      ...(nextDelay && { nextDelay }),
    });
  }

  async sweep(): Promise<void> {
    const { bucket, chunkQueue, deliveryQueue, stallMs, log } = this.#configuration;
    const done = await sweep({
      store: this.store,
      chunks: this.#chunks,
      deliveries: this.deliveries,
      bucket,
      stallMs,
      queue: createQueueSender(chunkQueue),
      deliveryQueue: createQueueSender(deliveryQueue),
    });
    if (done.resent + done.owed + done.expired > 0) log('info', { event: 'sweep', ...done });
  }

  async #sendOwedWebhooks(batchId: string): Promise<void> {
    const owed = await this.deliveries.findNew(batchId);
    await createQueueSender(this.#configuration.deliveryQueue).send(owed.map((id) => ({ delivery_id: id })));
  }

  async #toPayload({ batchId, type, createdAt }: Delivery): Promise<string | undefined> {
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
}

function noWebhooks(): CodedError {
  return new CodedError('option_invalid', 'webhook_url: this deployment has no webhook secret to sign with.');
}
