import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chooseHome } from '../../src/jobs/batch/choose-home.ts';
import { goldenPath, photoFiles } from '../golden/golden.ts';
import { type BatchJson, collectResults, waitForEnd } from './batch-client.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';

/** Each is named by the database that it has as its home, one of two. */
const names = { 1: 'ann', 2: 'cy' } as const;
type Home = keyof typeof names;
const homes: readonly Home[] = [1, 2];
const image = (await readFile(goldenPath(photoFiles.cat))).toString('base64');

let receiver: Server;
const received: string[] = [];
let server: EdgeServer;
/** What was made while there was one database, by home. */
const old = new Map<Home, BatchJson>();
beforeAll(async () => {
  receiver = createServer(async (request, answer) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    received.push(JSON.parse(body).data.id);
    answer.writeHead(204).end();
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const apiKeys = homes.map((home) => ({
    id: names[home],
    sha256: createHash('sha256').update(`key of ${names[home]}`).digest('hex'),
    scopes: ['batch'],
  }));
  server = await startEdge({
    vars: {
      PUBLIC_SCOPES: 'batch',
      BATCH_RETRY_BASE_SECONDS: '0',
      BATCH_STALL_SECONDS: '0.001',
      WEBHOOK_URL_ALLOW: origin(),
      WEBHOOK_SECRETS: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
    },
    secrets: { API_KEYS: JSON.stringify(apiKeys) },
  });
  for (const home of homes) old.set(home, (await submit(home, { key: 'old' })).batch);
  await server.reconfigure('test/edge/with-two-databases.wrangler.toml');
  // The local queues forget their messages when the Worker changes, and a delivery that was being posted keeps its claim
  // for 40 s.
  await server.env.BATCHES_DB.prepare(
    "UPDATE webhook_deliveries SET next_attempt_at = 1 WHERE state = 'pending'",
  )
    .bind()
    .run();
});
afterAll(async () => {
  await server?.stop();
  receiver?.close();
});

const origin = () => `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;

/** The edge as one of its callers sees it; undefined for one without a key. */
const as = (home: Home | undefined) => ({
  fetch: (path: string, init: RequestInit = {}) =>
    server.fetch(path, {
      ...init,
      headers: { ...init.headers, ...(home && { authorization: `Bearer key of ${names[home]}` }) },
    }),
});

async function submit(home: Home | undefined, { key, body }: { key?: string; body?: string } = {}) {
  const hook = encodeURIComponent(`${origin()}/hook`);
  const response = await as(home).fetch(`/v1/batches?top_k=1&webhook_url=${hook}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson', ...(key && { 'idempotency-key': key }) },
    body: body ?? JSON.stringify({ image }),
  });
  const batch = (await response.json()) as BatchJson & { code?: string };
  return { status: response.status, batch, isReplayed: response.headers.has('idempotency-replayed') };
}

async function listIds(home: Home): Promise<string[]> {
  const { batches } = (await (await as(home).fetch('/v1/batches?limit=100')).json()) as {
    batches: BatchJson[];
  };
  return batches.map(({ id }) => id);
}

async function countRows(home: Home, id: string): Promise<number> {
  const db = home === 1 ? server.env.BATCHES_DB : server.env.BATCHES_DB_2!;
  const { results } = await db.prepare('SELECT id FROM batches WHERE id = ?1').bind(id).all();
  return results.length;
}

/** It has run, its result can be read, and its webhook has come. */
async function expectDone(home: Home | undefined, { id }: BatchJson): Promise<void> {
  // As cron does every five minutes, it sends again what was lost.
  const sweeps = setInterval(() => void server.scheduled().catch(() => undefined), 1000);
  try {
    await expectEnd(home, id);
  } finally {
    clearInterval(sweeps);
  }
}

async function expectEnd(home: Home | undefined, id: string): Promise<void> {
  expect(await waitForEnd(as(home), id)).toMatchObject({ status: 'succeeded' });
  expect(await collectResults(as(home), id)).toMatchObject([{ predictions: [{ label: 'Egyptian cat' }] }]);
  await expect.poll(() => received.includes(id)).toBe(true);
  const { deliveries } = (await (await as(home).fetch(`/v1/batches/${id}/deliveries`)).json()) as {
    deliveries: { state: string }[];
  };
  expect(deliveries).toHaveLength(1);
}

it('the callers of this test have different homes', async () => {
  for (const home of homes) expect(await chooseHome(names[home], 2)).toBe(home);
});

describe('batches from when there was one database', () => {
  it.each(homes)('of the owner whose home is %i are read, listed, run and reported', async (home) => {
    const batch = old.get(home)!;
    expect(await listIds(home)).toContain(batch.id);
    await expectDone(home, batch);
    expect(await countRows(1, batch.id)).toBe(1);
  });

  it.each(homes)('hold their Idempotency-Keys: home %i', async (home) => {
    const { batch, isReplayed } = await submit(home, { key: 'old' });
    expect([batch.id, isReplayed]).toEqual([old.get(home)!.id, true]);
    const other = await submit(home, { key: 'old', body: '{"r2_key":"x"}' });
    expect(other.batch.code).toBe('idempotency_key_reused');
  });
});

describe.each(homes)('a batch of an owner whose home is %i', (home) => {
  const another: Home = home === 1 ? 2 : 1;

  it('lies there, and is read, listed, run and reported', async () => {
    const { batch } = await submit(home, { key: 'new' });
    expect([await countRows(home, batch.id), await countRows(another, batch.id)]).toEqual([1, 0]);
    await expectDone(home, batch);
    expect((await listIds(home)).slice().sort()).toEqual([batch.id, old.get(home)!.id].sort());
    expect((await submit(home, { key: 'new' })).batch.id).toBe(batch.id);
    expect((await as(another).fetch(`/v1/batches/${batch.id}`)).status).toBe(404);
  });

  it('is cancelled, swept when it has expired, and gone', async () => {
    // An image that is never there: the batch does not end by itself.
    const { batch } = await submit(home, { body: '{"url":"https://x.invalid/1"}' });
    const canceled = await as(home).fetch(`/v1/batches/${batch.id}`, { method: 'DELETE' });
    expect(await canceled.json()).toMatchObject({ id: batch.id, status: 'canceled' });
    const db = home === 1 ? server.env.BATCHES_DB : server.env.BATCHES_DB_2!;
    await db.prepare('UPDATE batches SET expires_at = 1 WHERE id = ?1').bind(batch.id).run();
    await server.scheduled();
    expect((await as(home).fetch(`/v1/batches/${batch.id}`)).status).toBe(404);
    expect(await countRows(home, batch.id)).toBe(0);
  });

  it('whose message was lost is sent again by the sweep', async () => {
    const db = home === 1 ? server.env.BATCHES_DB : server.env.BATCHES_DB_2!;
    const { batch } = await submit(home);
    await waitForEnd(as(home), batch.id);
    // As it would be if the consumer had died before it counted the result, and its message were lost.
    await db.batch([
      db.prepare('UPDATE batch_chunks SET succeeded = 0, sent_at = NULL WHERE batch_id = ?1').bind(batch.id),
      db
        .prepare(
          `UPDATE batches SET status = 'processing', finished_at = NULL, progress_at = 1 WHERE id = ?1`,
        )
        .bind(batch.id),
    ]);
    await server.scheduled();
    expect(await waitForEnd(as(home), batch.id)).toMatchObject({ status: 'succeeded' });
  });
});

it('a batch without a key is found by its id in whichever database it lies', async () => {
  const { batch } = await submit(undefined);
  expect(await countRows(1, batch.id)).toBe((await countRows(2, batch.id)) === 0 ? 1 : 0);
  await expectDone(undefined, batch);
});

it('an id that names a database that is not there is the id of no batch', async () => {
  const response = await as(1).fetch(`/v1/batches/batch_16_${'0'.repeat(32)}`);
  expect(await response.json()).toMatchObject({ status: 404, code: 'batch_unknown' });
});
