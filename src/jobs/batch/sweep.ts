import type { R2Bucket } from '@cloudflare/workers-types';
import { deletePrefix } from '../../lib/delete-prefix.ts';
import { batchPrefix } from './batch.ts';
import type { BatchStore } from './batch-store.ts';
import type { ChunkQueue, DeliveryQueue } from './chunk-queue.ts';
import type { ChunkStore } from './chunk-store.ts';
import type { DeliveryStore } from './delivery-store.ts';

export interface SweepServices {
  readonly store: BatchStore;
  readonly chunks: ChunkStore;
  readonly deliveries: DeliveryStore;
  readonly bucket: R2Bucket;
  readonly queue: ChunkQueue;
  readonly deliveryQueue: DeliveryQueue;
  /** If a batch has made no progress for this time, its unfinished chunks are sent again. */
  readonly stallMs: number;
  readonly now?: () => number;
}

/** Most items of each kind in one sweep, because an invocation may make 1,000 subrequests. The next sweep goes on. */
const maxChunks = 1000;
const maxBatches = 20;
/** A request that is still sending after this has died. */
const abandonedMs = 3_600_000;

/**
 * The scheduled handler. The database is the truth, messages only wake consumers. It sends lost messages again, and
 * deletes expired batches. Every part may be cut short and repeated.
 */
export async function sweep(
  services: SweepServices,
): Promise<{ resent: number; owed: number; expired: number }> {
  const { store, chunks, deliveries, bucket, queue, deliveryQueue, stallMs, now = Date.now } = services;
  const lost = await chunks.findLost(now() - stallMs, maxChunks);
  await queue.send(lost.map(({ batchId, chunk }) => ({ batch_id: batchId, chunk })));
  for (const batchId of new Set(lost.map((row) => row.batchId))) {
    await chunks.markSent(
      batchId,
      lost.filter((row) => row.batchId === batchId).map(({ chunk }) => chunk),
    );
  }
  const owed = await deliveries.findOwed(now() - stallMs, maxChunks);
  await deliveryQueue.send(owed.map((id) => ({ delivery_id: id })));
  await deliveries.touch(owed);

  const expired = await store.findExpired(now() - abandonedMs, maxBatches);
  for (const id of expired) {
    await deletePrefix(bucket, batchPrefix(id));
    await store.delete(id);
  }
  return { resent: lost.length, owed: owed.length, expired: expired.length };
}
