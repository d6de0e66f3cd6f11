import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goldenPath } from '../golden/golden.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';

const photo = new Uint8Array(await readFile(goldenPath('cat.jpg')));
const hash = (key: string) => createHash('sha256').update(key).digest('hex');
const scopes = ['classify', 'batch'];
const apiKeys = JSON.stringify([
  { id: 'ann', sha256: hash('ann key'), scopes },
  { id: 'bob', sha256: hash('bob key'), scopes },
]);

let edge: EdgeServer;
beforeAll(async () => {
  edge = await startEdge({
    vars: { PUBLIC_SCOPES: 'classify,batch', ANSWER_CACHE_SECONDS: '60' },
    secrets: { API_KEYS: apiKeys },
  });
}, 60_000);
afterAll(() => edge?.stop());

const bearer = (key: string | undefined) => (key === undefined ? {} : { authorization: `Bearer ${key}` });

async function submit(key: string | undefined, headers: Record<string, string> = {}) {
  const response = await edge.fetch('/v1/batches', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...bearer(key), ...headers },
    body: JSON.stringify({ inputs: [{ image: Buffer.from(photo).toString('base64') }] }),
  });
  expect(response.status).toBe(202);
  return { id: ((await response.json()) as { id: string }).id, headers: response.headers };
}

async function get(path: string, key?: string) {
  const response = await edge.fetch(path, { headers: bearer(key) });
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}

describe('a batch', () => {
  it('of a key is nobody else’s, and not an anonymous caller’s', async () => {
    const { id } = await submit('ann key');
    expect((await get(`/v1/batches/${id}`, 'ann key')).status).toBe(200);
    for (const key of ['bob key', undefined]) {
      expect((await get(`/v1/batches/${id}`, key)).json).toMatchObject({ code: 'batch_unknown' });
      const cancelled = await edge.fetch(`/v1/batches/${id}`, { method: 'DELETE', headers: bearer(key) });
      expect(cancelled.status).toBe(404);
    }
  });

  it('without a key is found by its id, which nobody guesses, and in no list', async () => {
    const { id } = await submit(undefined);
    expect(id).toMatch(/^batch_[0-9a-f]{32}$/);
    expect((await get(`/v1/batches/${id}`)).status).toBe(200);
    expect((await get(`/v1/batches/${id}`, 'ann key')).json).toMatchObject({ code: 'batch_unknown' });
    expect((await get('/v1/batches')).json).toEqual({ batches: [], next_before: null });
    const mine = await get('/v1/batches?limit=100', 'ann key');
    expect(JSON.stringify(mine.json)).not.toContain(id);
  });

  it('under one Idempotency-Key is another one for another caller', async () => {
    const key = { 'idempotency-key': 'same' };
    const ids = [await submit('ann key', key), await submit('bob key', key), await submit(undefined, key)];
    expect(new Set(ids.map(({ id }) => id)).size).toBe(3);
    const again = await submit('ann key', key);
    expect(again.id).toBe(ids[0]!.id);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
  });
});

describe('a remembered answer', () => {
  const classify = async (key: string | undefined) => {
    const response = await edge.fetch('/v1/classify?top_k=7', {
      method: 'POST',
      headers: bearer(key),
      body: photo,
    });
    return { etag: response.headers.get('etag'), status: response.headers.get('cache-status') };
  };

  it('tells nobody that somebody else asked before', async () => {
    const first = await classify('ann key');
    expect(first.status).toBe('resnet-edge; fwd=miss; stored');
    const others = [await classify('bob key'), await classify(undefined)];
    for (const { status, etag } of others) {
      expect(status).toBe('resnet-edge; fwd=miss; stored');
      expect(etag).not.toBe(first.etag);
    }
    await expect.poll(async () => (await classify('ann key')).status).toBe('resnet-edge; hit');
  });
});

it('no key may be called as anonymous callers are', async () => {
  const taken = await startEdge({
    secrets: { API_KEYS: JSON.stringify([{ id: 'public', sha256: hash('x'), scopes }]) },
    seed: false,
  });
  try {
    const response = await taken.fetch('/v1/models');
    expect(await response.json()).toMatchObject({ code: 'configuration_invalid' });
  } finally {
    await taken.stop();
  }
}, 60_000);
