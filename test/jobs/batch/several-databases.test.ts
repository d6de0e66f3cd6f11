import type { Queue } from '@cloudflare/workers-types';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Batch, ChunkMessage, DeliveryMessage } from '../../../src/jobs/batch/batch.ts';
import { createBatchId, toDatabaseNumber } from '../../../src/jobs/batch/batch-id.ts';
import type { BatchInputs } from '../../../src/jobs/batch/batch-inputs.ts';
import { BatchServices } from '../../../src/jobs/batch/batch-services.ts';
import { chooseHome } from '../../../src/jobs/batch/choose-home.ts';
import { maxBatchDatabases, sweepIntervalMs } from '../../../src/limits.ts';
import type { ChunkRunner } from '../../../src/tier/client/chunk-runner.ts';
import { createMessage } from './batch-fixture.ts';
import { createMemoryBucket } from './memory-bucket.ts';
import { openD1 } from './sqlite-d1.ts';

/** Owners by the database that they have as one of two. */
const owners = { first: 'ann', second: 'cy' } as const;
const hookUrl = 'https://example.com/hook';
const problem = { code: 'image_invalid', status: 422, title: 'No image', detail: 'No image.' };

let databases: ReturnType<typeof openD1>[];
let chunks: ChunkMessage[];
let deliveries: DeliveryMessage[];
let posted: string[];
let logged: Record<string, unknown>[];
let bucket: ReturnType<typeof createMemoryBucket>['bucket'];
beforeEach(() => {
  databases = [openD1(), openD1(), openD1()];
  chunks = [];
  deliveries = [];
  posted = [];
  logged = [];
  bucket = createMemoryBucket().bucket;
});

/** What the services use of a queue. */
const queueInto = <T>(sent: T[]) =>
  ({
    sendBatch: async (messages: Iterable<{ body: T }>) => {
      for (const { body } of messages) sent.push(body);
    },
  }) as unknown as Queue<T>;

const runner: ChunkRunner = {
  tier: 'edge',
  async *run(_options, _count, items) {
    for await (const { index } of items) yield { index, result: { problem } };
  },
};

/** The service with so many of the databases bound. */
const serve = (count: number) =>
  new BatchServices({
    databases: databases.slice(0, count),
    bucket,
    chunkQueue: queueInto(chunks),
    deliveryQueue: queueInto(deliveries),
    imageBucket: undefined,
    resolveModel: async () => ({ model: 'resnet18', modelVersion: '1', tier: 'edge' }),
    runnerOf: () => runner,
    fetchImage: async () => Uint8Array.of(1),
    assertPublicUrl: async () => undefined,
    postWebhook: async (_url, { body }) => {
      posted.push(JSON.parse(String(body)).data.id);
      return new Response(null, { status: posted.length > 1 ? 204 : 410 });
    },
    webhookKeys: [new Uint8Array(32)],
    sources: new Map(),
    retentionMs: 1e9,
    maxPendingItems: 100,
    stallMs: -1,
    retryBaseSeconds: 1,
    concurrency: 1,
    log: (level, fields) => void logged.push({ level, ...fields }),
  });

const toInputs = (url: string): BatchInputs => ({
  model: undefined,
  inputs: (async function* () {
    yield { url };
  })(),
  options: () => ({ model: undefined, task: 'classify', topK: 1, webhookUrl: hookUrl, metadata: {} }),
  digest: async () => url,
});

const submit = async (
  services: BatchServices,
  owner: string,
  { key, url = 'https://x.example/1' }: { key?: string; url?: string } = {},
) => await services.submit(toInputs(url), { owner, idempotencyKey: key });

const listAll = (services: BatchServices, owner: string) =>
  services.list(owner, 100, { createdAt: Date.now() + 1, id: '' });

const findIn = (services: BatchServices, { id }: Batch) => services.databaseOf(id)!.store.find(id);
const numberOf = ({ id }: Batch) => toDatabaseNumber(id);

async function consume(services: BatchServices, queue: 'consumeChunks' | 'consumeDeliveries', body: object) {
  const { message, ack, retry } = createMessage(body);
  await services[queue]([message]);
  return { acked: ack.mock.calls.length, retried: retry.mock.calls.length };
}

describe('an id', () => {
  it.each([1, 2, 9, 10, maxBatchDatabases])('of database %i leads back to it', (number) => {
    expect(toDatabaseNumber(createBatchId(number))).toBe(number);
    expect(createBatchId(number).length).toBeLessThanOrEqual(64);
  });
  it('of the first looks as it always did', () => {
    expect(createBatchId(1)).toMatch(/^batch_[0-9a-f]{32}$/);
  });
  it.each(['', 'batch_', 'batch_0_00000000000000000000000000000000', 'batch_2_', '../2', 'batch_100_0'])(
    '"%s", which nobody made, leads to the first',
    (id) => expect(toDatabaseNumber(id)).toBe(1),
  );
});

describe('the home of an owner', () => {
  const names = Array.from({ length: 600 }, (_, index) => `key-${index}`);
  it('is one of all databases, with about as many owners each', async () => {
    const counts = new Map<number, number>();
    for (const name of names) {
      const home = await chooseHome(name, 3);
      counts.set(home, (counts.get(home) ?? 0) + 1);
    }
    expect([...counts.keys()].sort()).toEqual([1, 2, 3]);
    for (const count of counts.values()) expect(Math.abs(count - 200)).toBeLessThan(60);
  });
  it('moves with a new database to that one alone', async () => {
    for (const name of names) {
      const [before, after] = [await chooseHome(name, 3), await chooseHome(name, 4)];
      expect([before, 4]).toContain(after);
    }
  });
});

describe('two databases', () => {
  it('have the batches of one owner each, with everything that follows', async () => {
    const services = serve(2);
    for (const [owner, number] of [
      [owners.first, 1],
      [owners.second, 2],
    ] as const) {
      const { batch } = await submit(services, owner);
      expect(numberOf(batch)).toBe(number);
      expect(await listAll(services, owner)).toMatchObject([{ id: batch.id }]);
      expect(await consume(services, 'consumeChunks', chunks.at(-1)!)).toEqual({ acked: 1, retried: 0 });
      expect(await findIn(services, batch)).toMatchObject({ status: 'failed', failed: 1 });
      // Its webhook leads to the same database; the first answer is 410.
      expect(await consume(services, 'consumeDeliveries', deliveries.at(-1)!)).toEqual({
        acked: 1,
        retried: 0,
      });
      expect(posted.at(-1)).toBe(batch.id);
      expect(await services.databaseOf(batch.id)!.deliveries.log(batch.id)).toMatchObject([{ attempts: 1 }]);
    }
    expect(deliveries).toMatchObject([{ delivery_id: expect.any(String) }, { database: 2 }]);
    expect(deliveries[0]).not.toHaveProperty('database');
  });

  it('are both swept, though one of them is down', async () => {
    const services = serve(2);
    await submit(services, owners.first);
    await submit(services, owners.second);
    const sent = chunks.splice(0);
    await services.sweep(0);
    expect(chunks).toEqual(sent);
    chunks.length = 0;
    databases[0]!.prepare = () => {
      throw new Error('D1 is down');
    };
    for (const now of [0, sweepIntervalMs]) await expect(serve(2).sweep(now)).rejects.toThrow('D1 is down');
    expect(chunks).toEqual([sent[1], sent[1]]);
    // Nor is its own owner's work refused, if it asks for nothing of the other.
    await expect(submit(services, owners.second)).resolves.toMatchObject({ replayed: false });
  });

  it('keep a message whose database is not bound, until it is', async () => {
    const { batch } = await submit(serve(2), owners.second);
    const [chunk] = chunks;
    expect(await consume(serve(1), 'consumeChunks', chunk!)).toEqual({ acked: 0, retried: 1 });
    expect(logged).toContainEqual(expect.objectContaining({ level: 'error', event: 'chunk_failed' }));
    expect(serve(1).databaseOf(batch.id)).toBeUndefined();
    expect(await consume(serve(2), 'consumeChunks', chunk!)).toEqual({ acked: 1, retried: 0 });
    expect(await consume(serve(1), 'consumeDeliveries', deliveries[0]!)).toEqual({ acked: 0, retried: 1 });
  });
});

describe('a database that is added', () => {
  it('loses no batch of an owner whose home moves', async () => {
    const { batch: old } = await submit(serve(1), owners.second);
    const services = serve(2);
    expect(await findIn(services, old)).toMatchObject({ status: 'processing' });
    const { batch: young } = await submit(services, owners.second);
    expect([numberOf(old), numberOf(young)]).toEqual([1, 2]);
    const listed = await listAll(services, owners.second);
    expect(listed.map(({ id }) => id).sort()).toEqual([old.id, young.id].sort());
    for (const message of chunks) await consume(services, 'consumeChunks', message);
    for (const batch of [old, young]) expect(await findIn(services, batch)).toMatchObject({ failed: 1 });
    expect(await services.databaseOf(old.id)!.cancel(old)).toBe(false);
  });

  it('leaves an Idempotency-Key where it is known', async () => {
    const { batch: old } = await submit(serve(1), owners.second, { key: 'key' });
    const services = serve(3);
    expect(await submit(services, owners.second, { key: 'key' })).toMatchObject({
      batch: { id: old.id },
      replayed: true,
    });
    const other = submit(services, owners.second, { key: 'key', url: 'https://x.example/2' });
    await expect(other).rejects.toMatchObject({ code: 'idempotency_key_reused' });
    const { batch: next } = await submit(services, owners.second, { key: 'another' });
    expect(numberOf(next)).not.toBe(1);
    expect(await submit(services, owners.second, { key: 'another' })).toMatchObject({ replayed: true });
  });

  it('knows of addresses that are given up, and one call takes them back', async () => {
    await submit(serve(1), owners.second);
    await consume(serve(1), 'consumeChunks', chunks[0]!);
    await consume(serve(1), 'consumeDeliveries', deliveries[0]!);
    const services = serve(2);
    expect(await services.listGone(owners.second)).toMatchObject([{ url: hookUrl }]);
    expect(await services.restoreGone(owners.second, hookUrl)).toBe(true);
    expect(await services.restoreGone(owners.second, hookUrl)).toBe(false);
    expect(await services.listGone(owners.second)).toEqual([]);
  });

  it('changes nothing in the pages of a list', async () => {
    const made: string[] = [];
    for (let count = 0; count < 12; count++) {
      const { batch } = await submit(serve(1 + (count % 3)), owners.second);
      made.push(batch.id);
    }
    const services = serve(3);
    const paged: Batch[] = [];
    let place = { createdAt: Date.now() + 1, id: '' };
    for (;;) {
      const page = await services.list(owners.second, 5, place);
      paged.push(...page);
      const last = page.at(-1);
      if (!last || page.length < 5) break;
      place = { createdAt: last.createdAt, id: last.id };
    }
    expect(paged.map(({ id }) => id).sort()).toEqual(made.sort());
    const times = paged.map(({ createdAt }) => createdAt);
    expect(times).toEqual([...times].sort((a, b) => b - a));
  });
});
