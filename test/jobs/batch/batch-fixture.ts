import type { Message } from '@cloudflare/workers-types';
import { vi } from 'vitest';
import { BatchStore } from '../../../src/jobs/batch/batch-store.ts';
import { ChunkStore } from '../../../src/jobs/batch/chunk-store.ts';
import { DeliveryStore } from '../../../src/jobs/batch/delivery-store.ts';
import { batchChunkItems } from '../../../src/limits.ts';
import { createMemoryBucket } from './memory-bucket.ts';
import { openD1 } from './sqlite-d1.ts';

/** The stores of batches on one database, and a clock that stands still until it is moved. */
export function createStores() {
  const db = openD1();
  // SQL triggers read the machine's clock: a test moves its own by more than it takes itself.
  const clock = { ms: Date.now() };
  const now = () => clock.ms;
  return {
    db,
    clock,
    now,
    store: new BatchStore(db, now),
    chunks: new ChunkStore(db, now),
    deliveries: new DeliveryStore(db, now),
    memory: createMemoryBucket(),
  };
}

export type Stores = ReturnType<typeof createStores>;

/** An accepted batch of so many items, which have a key each: `image-0` and so on. */
export async function acceptBatch(
  { store, chunks, clock }: Stores,
  id: string,
  total: number,
  {
    webhookUrl,
    owner = 'ann',
    lifeMs = 86_400_000,
  }: { webhookUrl?: string; owner?: string; lifeMs?: number } = {},
): Promise<void> {
  const model = { model: 'resnet18', modelVersion: '1', topK: 1, tier: 'node' } as const;
  await store.create({
    id,
    owner,
    idempotencyKey: undefined,
    expiresAt: clock.ms + lifeMs,
    ...model,
  });
  const keys = Array.from({ length: total }, (_, index) => ({ r2_key: `image-${index}` }));
  const rows = Array.from({ length: Math.ceil(total / batchChunkItems) }, (_, chunk) => {
    const firstIndex = chunk * batchChunkItems;
    return { chunk, firstIndex, inputs: keys.slice(firstIndex, firstIndex + batchChunkItems) };
  });
  await chunks.add(id, rows);
  await store.activate(id, { task: 'classify', total, fingerprint: id, webhookUrl, metadata: {}, ...model });
}

/** A message of a queue, and what became of it. */
export function createMessage(body: unknown, attempts = 1) {
  const ack = vi.fn<() => void>();
  const retry = vi.fn<(options: { delaySeconds: number }) => void>();
  const message = { id: 'message', body, attempts, timestamp: new Date(0), ack, retry };
  return { ack, retry, message: message as unknown as Message<unknown> };
}
