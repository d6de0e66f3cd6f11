import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goldenPath, photoFiles } from '../golden/golden.ts';
import { type BatchJson, collectResults, waitForEnd } from './batch-client.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';

let edge: EdgeServer;
beforeAll(async () => {
  edge = await startEdge({
    vars: { BATCH_RETRY_BASE_SECONDS: '1' },
    secrets: {
      API_KEYS: JSON.stringify([
        { id: 'lister', sha256: createHash('sha256').update('a key').digest('hex'), scopes: ['batch'] },
      ]),
    },
  });
});
afterAll(() => edge?.stop());

/** A caller without a key has no list. */
const bearer = { authorization: 'Bearer a key' };

const readPhoto = async (name: keyof typeof photoFiles) =>
  new Uint8Array(await readFile(goldenPath(photoFiles[name])));
const labelsOf = (rows: readonly { predictions?: { label: string }[]; problem?: { code: string } }[]) =>
  rows.map(({ predictions, problem }) => predictions?.[0]?.label ?? problem?.code);

describe('a batch that the edge runs itself', () => {
  it('takes files, and gives each its labels or its problem, in order', async () => {
    const form = new FormData();
    form.append('image', new Blob([await readPhoto('cat')]), 'cat.jpg');
    form.append('image', new Blob(['not an image']), 'broken.jpg');
    form.append('top_k', '2');
    form.append('image', new Blob([await readPhoto('coffee')]), 'coffee.png');
    form.append('metadata', '{"album": 7}');
    const response = await edge.fetch('/v1/batches', { method: 'POST', body: form });
    const accepted = (await response.json()) as BatchJson;
    expect(response.status, JSON.stringify(accepted)).toBe(202);
    expect(response.headers.get('location')).toBe(`/v1/batches/${accepted.id}`);
    expect(accepted).toMatchObject({ status: 'processing', tier: 'edge', top_k: 2, metadata: { album: 7 } });

    const batch = await waitForEnd(edge, accepted.id);
    expect(batch).toMatchObject({
      status: 'partial',
      counts: { total: 3, succeeded: 2, failed: 1, pending: 0 },
      trouble: null,
    });
    const rows = await collectResults(edge, accepted.id);
    expect(rows.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(labelsOf(rows)).toEqual(['Egyptian cat', 'image_format_unknown', 'espresso']);
    expect(rows.map(({ name }) => name)).toEqual(['cat.jpg', 'broken.jpg', 'coffee.png']);
    expect(rows[0]).toMatchObject({ model: 'resnet18-imagenet1k', model_version: '3', tier: 'edge' });
    expect(rows[0]!.predictions).toHaveLength(2);
  });

  it('takes NDJSON over several chunks, and resumes results at a cursor', async () => {
    const image = Buffer.from(await readPhoto('cat')).toString('base64');
    const lines = [{ top_k: 1 }, ...Array.from({ length: 70 }, () => ({ image }))];
    const response = await edge.fetch('/v1/batches', {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: lines.map((line) => JSON.stringify(line)).join('\n'),
    });
    const { id } = (await response.json()) as BatchJson;
    const batch = await waitForEnd(edge, id);
    expect(batch).toMatchObject({ status: 'succeeded', counts: { total: 70, succeeded: 70, failed: 0 } });
    const rows = await collectResults(edge, id, 65);
    expect(rows.map(({ index }) => index)).toEqual([65, 66, 67, 68, 69]);
    expect(await collectResults(edge, id, 70)).toEqual([]);
  });

  it('gives the same batch to the same Idempotency-Key, and refuses another body or other options under it', async () => {
    const image = Buffer.from(await readPhoto('cat')).toString('base64');
    const send = (body: object, query = '?top_k=2&metadata={}') =>
      edge.fetch(`/v1/batches${query}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': 'once' },
        body: JSON.stringify(body),
      });
    const first = (await (await send({ inputs: [{ image }] })).json()) as BatchJson;
    const again = await send({ inputs: [{ image }] });
    expect(again.status).toBe(202);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(((await again.json()) as BatchJson).id).toBe(first.id);
    expect((await send({ inputs: [{ image }] }, '?metadata={}&top_k=2')).status).toBe(202);
    const others = [
      await send({ inputs: [{ image }, { image }] }),
      await send({ inputs: [{ image }] }, '?top_k=3&metadata={}'),
      await send({ inputs: [{ image }] }, ''),
    ];
    for (const other of others) {
      expect(other.status).toBe(422);
      expect(await other.json()).toMatchObject({ code: 'idempotency_key_reused' });
    }
    await waitForEnd(edge, first.id);
  });

  it('lists batches of one millisecond page by page, and none twice', async () => {
    const made = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const body = JSON.stringify({ inputs: [{ r2_key: 'x' }] });
        const headers = { 'content-type': 'application/json', ...bearer };
        return (await (
          await edge.fetch('/v1/batches', { method: 'POST', headers, body })
        ).json()) as BatchJson;
      }),
    );
    await edge.env.BATCHES_DB.prepare(
      "UPDATE batches SET created_at = 86400000 WHERE owner = 'lister'",
    ).run();
    const found: string[] = [];
    for (let before: string | null = '1970-01-03'; before !== null; ) {
      const path = `/v1/batches?limit=2&before=${encodeURIComponent(before)}`;
      const page = await edge.fetch(path, { headers: bearer });
      const list = (await page.json()) as { batches: BatchJson[]; next_before: string | null };
      found.push(...list.batches.map(({ id }) => id));
      before = list.next_before;
    }
    expect(found.toSorted()).toEqual(made.map(({ id }) => id).toSorted());
    expect(new Set(found).size).toBe(found.length);
  });

  it('leaves nothing behind of a request that is wrong at its last line', async () => {
    const image = Buffer.from(await readPhoto('cat')).toString('base64');
    const lines = [
      ...Array.from({ length: 400 }, () => JSON.stringify({ r2_key: 'x' })),
      '',
      JSON.stringify({ image }),
      '{"url": 7}',
    ];
    const response = await edge.fetch('/v1/batches', {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson', 'idempotency-key': 'wrong' },
      body: lines.join('\n'),
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      code: 'json_invalid',
      detail: expect.stringContaining('line 403'),
    });
    const { results } = await edge.env.BATCHES_DB.prepare(
      'SELECT count(*) AS count FROM batch_chunks WHERE batch_id NOT IN (SELECT id FROM batches)',
    ).all();
    expect(results).toEqual([{ count: 0 }]);
    const { results: starting } = await edge.env.BATCHES_DB.prepare(
      "SELECT id FROM batches WHERE status = 'starting'",
    ).all();
    expect(starting).toEqual([]);
  });

  it('streams its progress as events to the end', async () => {
    const image = Buffer.from(await readPhoto('cat')).toString('base64');
    const response = await edge.fetch('/v1/batches', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ inputs: Array.from({ length: 40 }, () => ({ image })) }),
    });
    const { id } = (await response.json()) as BatchJson;
    const text = await (await edge.fetch(`/v1/batches/${id}/events`)).text();
    const events = text
      .trim()
      .split('\n\n')
      .map((event) => /^event: (\w+)\ndata: (.*)$/.exec(event)!.slice(1));
    expect(events.at(-1)![0]).toBe('done');
    expect(JSON.parse(events.at(-1)![1]!)).toMatchObject({ status: 'succeeded', counts: { succeeded: 40 } });
    expect(events.slice(0, -1).every(([name]) => name === 'progress')).toBe(true);
  });

  it('stops when it is canceled, and stays so', async () => {
    const response = await edge.fetch('/v1/batches', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ inputs: Array.from({ length: 64 }, () => ({ r2_key: 'none' })) }),
    });
    const { id } = (await response.json()) as BatchJson;
    const canceled = (await (
      await edge.fetch(`/v1/batches/${id}`, { method: 'DELETE' })
    ).json()) as BatchJson;
    // Two chunks do not fill the consumer's batch of four: it waits a second for more.
    expect(canceled.status).toBe('canceled');
    // Two batches after it have ended, of which the second shares no batch of the queue with it.
    for (let round = 0; round < 2; round++) {
      const after = await edge.fetch('/v1/batches', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ inputs: [{ r2_key: 'none' }] }),
      });
      await waitForEnd(edge, ((await after.json()) as BatchJson).id);
    }
    expect(await waitForEnd(edge, id)).toMatchObject({ status: 'canceled', counts: { failed: 0 } });
  });

  it.each([
    ['application/json', '{"inputs": []}', 'image_field_missing'],
    ['application/json', '{"inputs": [{"image": "%"}]}', 'base64_invalid'],
    ['application/json', '{"inputs": [{"r2_key": "x"}], "top_k": 101}', 'option_invalid'],
    [
      'application/json',
      '{"inputs": [{"r2_key": "x"}], "webhook_url": "https://example.com/"}',
      'option_invalid',
    ],
    ['application/json', '{"inputs": [{"r2_key": "x"}], "model": "none"}', 'model_unknown'],
    ['application/x-ndjson', '{"r2_key": "x"}\n{', 'json_invalid'],
    ['multipart/form-data; boundary=x', '--x\r\nwrong', 'multipart_invalid'],
    ['multipart/form-data', 'x', 'multipart_invalid'],
    ['image/jpeg', 'x', 'media_type_unsupported'],
    ['application/json', '', 'body_empty'],
  ])('refuses %s %s', async (type, body, code) => {
    const response = await edge.fetch('/v1/batches', {
      method: 'POST',
      headers: { 'content-type': type },
      body,
    });
    expect(await response.json()).toMatchObject({ code });
  });

  it('knows no batch that is not there', async () => {
    for (const path of ['', '/results', '/events', '/deliveries']) {
      expect((await edge.fetch(`/v1/batches/none${path}`)).status).toBe(404);
    }
  });
});
