import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { goldenPath, photoFiles } from '../golden/golden.ts';
import { type BatchJson, waitForEnd } from './batch-client.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';

const hash = (key: string) => createHash('sha256').update(key).digest('hex');
let server: EdgeServer;
beforeAll(async () => {
  server = await startEdge({
    vars: { PUBLIC_SCOPES: '', BATCH_MAX_PENDING_ITEMS: '50000' },
    secrets: {
      API_KEYS: JSON.stringify([
        { id: 'ann', sha256: hash('key of ann'), scopes: ['batch'] },
        { id: 'bob', sha256: hash('key of bob'), scopes: ['batch'] },
      ]),
    },
  });
});
afterAll(() => server?.stop());

/** The edge as one of its users sees it. */
const as = (name: string) => ({
  fetch: (path: string, init: RequestInit = {}) =>
    server.fetch(path, { ...init, headers: { ...init.headers, authorization: `Bearer key of ${name}` } }),
});
const [ann, bob] = [as('ann'), as('bob')];

async function submit(body: string, edge = ann): Promise<{ status: number; json: BatchJson }> {
  const response = await edge.fetch('/v1/batches', {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body,
  });
  return { status: response.status, json: (await response.json()) as BatchJson };
}

async function countRows(table: string, column: string, id: string): Promise<number> {
  const { results } = await (
    server.env.BATCHES_DB.prepare(`SELECT count(*) AS rows FROM ${table} WHERE ${column} = ?1`).bind(
      id,
    ) as unknown as { all(): Promise<{ results: { rows: number }[] }> }
  ).all();
  return results[0]!.rows;
}

it('a batch of another key does not exist: not to be read, listed, canceled, nor its key of idempotency', async () => {
  const image = (await readFile(goldenPath(photoFiles.cat))).toString('base64');
  const { json: batch } = await submit(JSON.stringify({ image }));
  for (const path of ['', '/results', '/events', '/deliveries']) {
    const response = await bob.fetch(`/v1/batches/${batch.id}${path}`);
    expect(response.status, path).toBe(404);
    expect(await response.json()).toMatchObject({ code: 'batch_unknown' });
  }
  expect((await bob.fetch(`/v1/batches/${batch.id}`, { method: 'DELETE' })).status).toBe(404);
  expect(await (await bob.fetch('/v1/batches')).json()).toMatchObject({ batches: [] });
  expect(await waitForEnd(ann, batch.id)).toMatchObject({ status: 'succeeded' });

  const send = async (edge: typeof ann) =>
    (await (
      await edge.fetch('/v1/batches', {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson', 'idempotency-key': 'the-same' },
        body: '{"r2_key":"x"}',
      })
    ).json()) as BatchJson;
  expect((await send(ann)).id).not.toBe((await send(bob)).id);
});

it('what has expired is gone from D1 and R2 when the clock strikes, and nothing else', async () => {
  const image = (await readFile(goldenPath(photoFiles.cat))).toString('base64');
  const [{ json: old }, { json: young }] = await Promise.all([
    submit(JSON.stringify({ image })),
    submit(JSON.stringify({ image })),
  ]);
  for (const { id } of [old, young]) await waitForEnd(ann, id);
  const objectsOf = async ({ id }: BatchJson) =>
    (await server.env.BATCHES.list({ prefix: `batches/${id}/` })).objects.length;
  // An image and a result.
  expect(await objectsOf(old)).toBe(2);
  await server.env.BATCHES_DB.prepare('UPDATE batches SET expires_at = 1 WHERE id = ?1').bind(old.id).run();
  // A request that died an hour ago, in the middle of its body.
  await server.env.BATCHES_DB.prepare(
    `INSERT INTO batches (id, owner, status, tier, model, model_version, top_k, metadata, created_at, progress_at, expires_at)
     VALUES ('batch_abandoned', ?1, 'starting', 'edge', 'm', '1', 1, '{}', 1, 1, 9e15)`,
  )
    .bind('ann')
    .run();
  await server.scheduled();
  expect((await ann.fetch(`/v1/batches/${old.id}`)).status).toBe(404);
  expect(await objectsOf(old)).toBe(0);
  expect(await countRows('batches', 'id', old.id)).toBe(0);
  expect(await countRows('batch_chunks', 'batch_id', old.id)).toBe(0);
  expect(await countRows('batches', 'id', 'batch_abandoned')).toBe(0);
  expect((await ann.fetch(`/v1/batches/${young.id}`)).status).toBe(200);
  expect(await objectsOf(young)).toBe(2);
});

const reference = `${JSON.stringify({ r2_key: 'none' })}\n`;

it('the 100,001st reference is refused as it comes, before the body ends, and nothing is left', async () => {
  const { status, body } = await new Promise<{ status: number; body: string }>((resolve, reject) => {
    const outgoing = request(
      new URL('/v1/batches', server.url),
      {
        method: 'POST',
        timeout: 30_000,
        headers: { authorization: 'Bearer key of ann', 'content-type': 'application/x-ndjson' },
      },
      async (answer) => {
        let text = '';
        for await (const chunk of answer) text += chunk;
        outgoing.destroy();
        resolve({ status: answer.statusCode!, body: text });
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer'))).on('error', reject);
    // Never ended: whoever waited for the whole of it would wait for good.
    outgoing.write(reference.repeat(100_001));
  });
  expect(status).toBe(413);
  expect(JSON.parse(body)).toMatchObject({ code: 'too_many_images' });
  expect(await countRows('batches', 'status', 'starting')).toBe(0);
  const { results } = await server.env.BATCHES_DB.prepare(
    'SELECT batch_id FROM batch_chunks WHERE batch_id NOT IN (SELECT id FROM batches)',
  ).all();
  expect(results).toEqual([]);
});

it('100,000 references are taken, and no more of this key until they are fewer', async () => {
  const { status, json } = await submit(reference.repeat(100_000));
  expect(status).toBe(202);
  expect(json.counts.total).toBe(100_000);
  expect(await countRows('batch_chunks', 'batch_id', json.id)).toBe(3125);
  const more = await ann.fetch('/v1/batches', {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: reference,
  });
  expect(more.status).toBe(429);
  expect(Number(more.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await more.json()).toMatchObject({ code: 'rate_limited' });
  expect((await submit(reference, bob)).status).toBe(202);
  const canceled = await ann.fetch(`/v1/batches/${json.id}`, { method: 'DELETE' });
  expect(await canceled.json()).toMatchObject({ status: 'canceled' });
  expect((await submit(reference)).status).toBe(202);
});
