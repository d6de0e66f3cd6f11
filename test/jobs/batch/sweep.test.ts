import { expect, it } from 'vitest';
import type { ChunkMessage, DeliveryMessage } from '../../../src/jobs/batch/batch.ts';
import { sweep } from '../../../src/jobs/batch/sweep.ts';
import { acceptBatch, createStores } from './batch-fixture.ts';

const stallMs = 60_000;
const hourMs = 3_600_000;

function start() {
  const stores = createStores();
  const sent: ChunkMessage[] = [];
  const owed: DeliveryMessage[] = [];
  const run = () =>
    sweep({
      ...stores,
      bucket: stores.memory.bucket,
      queue: { send: async (messages) => void sent.push(...messages) },
      deliveryQueue: { send: async (messages) => void owed.push(...messages) },
      stallMs,
    });
  return { ...stores, stores, sent, owed, run };
}

it('sends unfinished chunks again once a batch has stalled, not before, and then waits as long again', async () => {
  const { stores, clock, chunks, sent, run } = start();
  await acceptBatch(stores, 'a', 70);
  await chunks.markSent('a', [0, 1, 2]);
  await chunks.settle('a', 1, { succeeded: 32, failed: 0 }, {});
  clock.ms += hourMs;
  await chunks.markSent('a', [0, 2]);
  clock.ms += stallMs;
  expect(await run()).toEqual({ resent: 0, owed: 0, expired: 0 });
  clock.ms += 1;
  expect(await run()).toEqual({ resent: 2, owed: 0, expired: 0 });
  expect(sent).toEqual([
    { batch_id: 'a', chunk: 0 },
    { batch_id: 'a', chunk: 2 },
  ]);
  expect(await run()).toMatchObject({ resent: 0 });
  clock.ms += stallMs + 1;
  expect(await run()).toMatchObject({ resent: 2 });
});

it('sends what was never sent, of batches that are accepted and not canceled', async () => {
  const { stores, clock, store, sent, run } = start();
  await acceptBatch(stores, 'a', 1);
  await acceptBatch(stores, 'canceled', 1);
  await store.cancel('canceled');
  clock.ms += stallMs + 1;
  await run();
  expect(sent).toEqual([{ batch_id: 'a', chunk: 0 }]);
});

it('sends a webhook again that is due and whose message is lost', async () => {
  const { stores, clock, store, deliveries, owed, run } = start();
  await acceptBatch(stores, 'a', 1, { webhookUrl: 'https://example.com/hook' });
  await store.cancel('a');
  const [id] = await deliveries.findNew('a');
  await deliveries.touch([id!]);
  clock.ms += stallMs;
  expect(await run()).toMatchObject({ owed: 0 });
  clock.ms += 1;
  expect(await run()).toMatchObject({ owed: 1 });
  expect(owed).toEqual([{ delivery_id: id }]);
  expect(await run()).toMatchObject({ owed: 0 });
});

it('deletes what has expired, with all its objects, and nothing else', async () => {
  const { stores, clock, store, chunks, memory, run } = start();
  await acceptBatch(stores, 'old', 1, { lifeMs: hourMs });
  await acceptBatch(stores, 'young', 1);
  const keys = ['images/0', 'images/1', 'results/0'].map((name) => `batches/old/${name}`);
  for (const key of [...keys, 'batches/older/results/0', 'batches/young/results/0'])
    await memory.bucket.put(key, 'x');
  clock.ms += hourMs;
  expect(await run()).toMatchObject({ expired: 0 });
  clock.ms += 1;
  expect(await run()).toMatchObject({ expired: 1 });
  expect(await store.find('old')).toBeUndefined();
  expect(await chunks.find('old', 0)).toBeUndefined();
  expect(await store.find('young')).toBeDefined();
  expect([...memory.objects.keys()]).toEqual(['batches/older/results/0', 'batches/young/results/0']);
});

it('takes a batch for abandoned whose request has been sending for more than an hour', async () => {
  const { clock, store, run } = start();
  await store.create({
    id: 'begun',
    owner: 'ann',
    idempotencyKey: undefined,
    tier: 'node',
    model: 'resnet18',
    modelVersion: '1',
    topK: 1,
    expiresAt: clock.ms + 24 * hourMs,
  });
  clock.ms += hourMs;
  expect(await run()).toMatchObject({ expired: 0 });
  clock.ms += 1;
  expect(await run()).toMatchObject({ expired: 1 });
});
