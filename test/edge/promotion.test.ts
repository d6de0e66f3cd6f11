import { readFile } from 'node:fs/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { makeOrtVersion } from '../golden/default-versions.ts';
import { goldenPath } from '../golden/golden.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';

let edge: EdgeServer;
afterEach(() => edge?.stop());

const photo = new Uint8Array(await readFile(goldenPath('cat.jpg')));
const text = (value: object) => new TextEncoder().encode(JSON.stringify(value));

async function classify(): Promise<string> {
  const response = await edge.fetch('/v1/classify?top_k=1', { method: 'POST', body: photo });
  expect(response.status).toBe(200);
  const body = (await response.json()) as { model_version: string; predictions: [{ label: string }] };
  expect(body.predictions[0].label).toBe('Egyptian cat');
  return body.model_version;
}

describe('moving a name to another version', () => {
  it('reaches a running isolate within the configured time, and no request fails meanwhile', async () => {
    edge = await startEdge({ bundle: 'whole', vars: { CATALOG_TTL_SECONDS: '1' } });
    expect(await classify()).toBe('3');

    const name = 'resnet18-imagenet1k';
    // The same network for onnxruntime-web: the other runtime takes over as well.
    for (const [key, bytes] of await makeOrtVersion({ version: '1' })) await edge.models.put(key, bytes);
    await edge.models.put('catalog.json', text({ default_model: name, models: [{ name, version: '1' }] }));

    const seen = new Set<string>();
    const deadline = Date.now() + 50_000;
    while (!seen.has('1') && Date.now() < deadline) {
      for (const version of await Promise.all([classify(), classify(), classify()])) seen.add(version);
    }
    expect([...seen]).toContain('1');
    expect(await classify()).toBe('1');
  });
});
