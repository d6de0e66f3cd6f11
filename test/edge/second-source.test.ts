import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { modelLoadCooldownMs } from '../../src/limits.ts';
import { type KvWriter, putKvFile } from '../../src/model/kv-parts.ts';
import { readAsset } from '../golden/default-versions.ts';
import { defaultKey, goldenPath } from '../golden/golden.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';

const photo = new Uint8Array(await readFile(goldenPath('cat.jpg')));
const modelKey = defaultKey('model.rni8');
const keys = ['catalog.json', ...['manifest.json', 'labels.json', 'model.rni8'].map(defaultKey)];
const read = readAsset;

let edge: EdgeServer;
let kv: KvWriter & { delete(key: string): Promise<void> };
beforeEach(async () => {
  edge = await startEdge({ configPath: './test/edge/with-kv.wrangler.toml' });
  kv = (edge.env as unknown as { MODELS_KV: typeof kv }).MODELS_KV;
});
afterEach(() => edge?.stop());

const classify = () => edge.fetch('/v1/classify?top_k=1', { method: 'POST', body: photo });
const failures = () =>
  edge
    .logs()
    .filter(({ event }) => event === 'model_source_failed')
    .map(({ source, code }) => ({ source, code }));

async function expectCat(response: Response): Promise<void> {
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({ predictions: [{ label: 'Egyptian cat' }] });
}

describe('R2 with a KV namespace behind it', () => {
  it('serves from KV, in parts, when R2 has lost everything', async () => {
    for (const key of keys) {
      await edge.models.delete(key);
      await putKvFile(kv, key, await read(key), 5_000_000);
    }
    await expectCat(await classify());
    expect(failures()).toContainEqual({ source: 'r2', code: 'model_unavailable' });
  });

  it('serves from KV when R2 has other bytes, and says which source was wrong', async () => {
    const intact = await read(modelKey);
    await putKvFile(kv, modelKey, intact);
    const flipped = intact.slice();
    flipped[9_000_000]! ^= 1;
    await edge.models.put(modelKey, flipped);
    await expectCat(await classify());
    expect(failures()).toEqual([{ source: 'r2', code: 'model_corrupt' }]);
  });

  it('answers 503 with Retry-After when both fail, and recovers by itself', async () => {
    await edge.models.delete(modelKey);
    const refused = await classify();
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(new Set(failures().map(({ source }) => source))).toEqual(new Set(['r2', 'kv']));
    await putKvFile(kv, modelKey, await read(modelKey));
    await new Promise((resolve) => setTimeout(resolve, modelLoadCooldownMs + 100));
    await expectCat(await classify());
  });
});
