import type { D1Database, Message } from '@cloudflare/workers-types';
import type { nextDeliveryDelay } from '../../lib/retry-schedule.ts';
import { sweepIntervalMs } from '../../limits.ts';
import type { WebhookSource } from '../webhook/webhook-source.ts';
import type { Batch, DeliveryMessage, ListPlace } from './batch.ts';
import { BatchDatabase, type BatchDatabaseConfiguration } from './batch-database.ts';
import { toDatabaseNumber } from './batch-id.ts';
import type { BatchCaller, BatchInputs } from './batch-inputs.ts';
import { chooseHome } from './choose-home.ts';
import { type ConsumeOptions, consumeChunks, consumeDeadChunks } from './consume-chunks.ts';
import { consumeDeliveries, type DeliverServices } from './deliver-webhook.ts';
import type { SubmittedBatch } from './submit-batch.ts';

export interface BatchConfiguration extends BatchDatabaseConfiguration {
  /** In the order of their numbers; at least one. */
  readonly databases: readonly D1Database[];
  /** `fetch` for webhooks, with the guard of `assertPublicUrl`. */
  readonly postWebhook: (url: string, init: RequestInit) => Promise<Response>;
  readonly sources: ReadonlyMap<string, WebhookSource>;
  readonly retryBaseSeconds: number;
  /** Chunks that one consumer runs at once. */
  readonly concurrency: number;
  /** Tests shorten the specification's schedule. */
  readonly nextDeliveryDelay?: typeof nextDeliveryDelay;
  readonly log: ConsumeOptions['log'];
}

/**
 * Everything about batches that HTTP, the queues and the clock call. A batch lies in one database, which its id and its
 * messages name. New batches of an owner go to one database, the owner's home. When a database is added, the homes of
 * some owners move, but their batches stay. So queries by owner ask all databases.
 */
export class BatchServices {
  readonly sources: ReadonlyMap<string, WebhookSource>;
  readonly #databases: readonly BatchDatabase[];
  readonly #configuration: BatchConfiguration;
  readonly #consume: ConsumeOptions;

  constructor(configuration: BatchConfiguration) {
    this.#configuration = configuration;
    this.sources = configuration.sources;
    this.#databases = configuration.databases.map((db, at) => new BatchDatabase(at + 1, db, configuration));
    this.#consume = {
      ...configuration,
      onSettled: (batchId) => this.#require(toDatabaseNumber(batchId)).sendOwedWebhooks(batchId),
    };
  }

  /** The database that a batch of this id would lie in; undefined if there is none of its number. */
  databaseOf(batchId: string): BatchDatabase | undefined {
    return this.#databases[toDatabaseNumber(batchId) - 1];
  }

  /** @see submitBatch */
  async submit(inputs: BatchInputs, caller: BatchCaller): Promise<SubmittedBatch> {
    const database = await this.#findHome(caller);
    return await database.submit(inputs, caller);
  }

  /** Newest first. @param place only batches that come after it in the list. */
  async list(owner: string, limit: number, place: ListPlace): Promise<Batch[]> {
    const lists = await this.#askAll(({ store }) => store.list(owner, limit, place));
    return lists.flat().sort(newestFirst).slice(0, limit);
  }

  /** Addresses that answered 410 to this owner's webhooks, by URL, each with the time of its last 410. */
  async listGone(owner: string): Promise<{ readonly url: string; readonly at: number }[]> {
    const lists = await this.#askAll(({ deliveries }) => deliveries.listGone(owner));
    const latest = new Map<string, number>();
    for (const { url, at } of lists.flat()) latest.set(url, Math.max(at, latest.get(url) ?? 0));
    return Array.from(latest, ([url, at]) => ({ url, at })).sort((a, b) => (a.url < b.url ? -1 : 1));
  }

  /** @returns whether the address was given up. */
  async restoreGone(owner: string, url: string): Promise<boolean> {
    const wasGone = await this.#askAll(({ deliveries }) => deliveries.restore(owner, url));
    return wasGone.includes(true);
  }

  consumeChunks(messages: readonly Message<unknown>[]): Promise<void> {
    return consumeChunks(messages, (id) => this.#require(toDatabaseNumber(id)).run, this.#consume);
  }

  consumeDeadChunks(messages: readonly Message<unknown>[]): Promise<void> {
    return consumeDeadChunks(messages, (id) => this.#require(toDatabaseNumber(id)).run, this.#consume);
  }

  consumeDeliveries(messages: readonly Message<unknown>[]): Promise<void> {
    return consumeDeliveries(
      messages,
      (message) => this.#toDeliverServices(message),
      this.#configuration.log,
    );
  }

  /**
   * Each sweep begins with another database, because the first one may take all statements of an invocation. A database
   * that fails does not stop the others.
   *
   * @throws what a database threw, after the others had their turn.
   */
  async sweep(now: number = Date.now()): Promise<void> {
    const { log } = this.#configuration;
    const first = Math.floor(now / sweepIntervalMs) % this.#databases.length;
    const failures: unknown[] = [];
    for (const database of [...this.#databases.slice(first), ...this.#databases.slice(0, first)]) {
      try {
        const done = await database.sweep();
        if (done.resent + done.owed + done.expired > 0) log('info', { event: 'sweep', ...done });
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  /**
   * The database for a new batch. If a database knows the Idempotency-Key, the request goes there, so that the key still
   * works after the owner's home has moved.
   */
  async #findHome({ owner, idempotencyKey: key }: BatchCaller): Promise<BatchDatabase> {
    const home = this.#require(await chooseHome(owner, this.#databases.length));
    if (key === undefined || this.#databases.length === 1) return home;
    if (await home.store.findByIdempotencyKey(owner, key)) return home;
    const found = await this.#askAll(({ store }) => store.findByIdempotencyKey(owner, key));
    return this.#databases.find((_, at) => found[at] !== undefined) ?? home;
  }

  #askAll<T>(ask: (database: BatchDatabase) => Promise<T>): Promise<T[]> {
    return Promise.all(this.#databases.map(ask));
  }

  /** @throws {Error} if the database is not bound. The message then comes again, and may find the database. */
  #require(number: number): BatchDatabase {
    const database = this.#databases[number - 1];
    if (database) return database;
    throw new Error(`Database ${number} of batches is not bound.`);
  }

  #toDeliverServices({ database: number = 1 }: DeliveryMessage): DeliverServices {
    const { webhookKeys: keys, postWebhook: post, log, nextDeliveryDelay: nextDelay } = this.#configuration;
    const database = this.#require(number);
    return {
      deliveries: database.deliveries,
      keys,
      post,
      log,
      toPayload: (delivery) => database.toPayload(delivery),
      ...(nextDelay && { nextDelay }),
    };
  }
}

function newestFirst(a: Batch, b: Batch): number {
  return b.createdAt - a.createdAt || (b.id < a.id ? -1 : 1);
}
