import type { WebhookSource } from '../webhook/webhook-source.ts';
import type { Batch, ListPlace } from './batch.ts';
import type { LoggedDelivery } from './delivery.ts';

/** What HTTP may do with batches: nothing in it tells of bindings. */
export interface BatchDoor {
  readonly sources: ReadonlyMap<string, WebhookSource>;
  /** @see submitBatch */
  submit(
    request: Request,
    owner: string,
    idempotencyKey: string | undefined,
  ): Promise<{ readonly batch: Batch; readonly replayed: boolean }>;
  find(id: string): Promise<Batch | undefined>;
  /** Newest first. @param before only batches that come after this place in the list. */
  list(owner: string, limit: number, before: ListPlace): Promise<readonly Batch[]>;
  /** @returns false if it had ended already. */
  cancel(batch: Batch): Promise<boolean>;
  logDeliveries(batchId: string): Promise<readonly LoggedDelivery[]>;
  /** @see streamResults */
  streamResults(batch: Batch, cursor: number): Promise<ReadableStream<Uint8Array>>;
  /** @see streamEvents */
  streamEvents(id: string, signal: AbortSignal): ReadableStream<Uint8Array>;
}
