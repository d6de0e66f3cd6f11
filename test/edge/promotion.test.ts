import { readFile } from 'node:fs/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { assetPath, goldenPath } from '../golden/golden.ts';
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
    edge = await startEdge({ vars: { CATALOG_TTL_SECONDS: '1' } });
    expect(await classify()).toBe('1');

    const name = 'resnet18-imagenet1k';
    for (const file of ['model.ort', 'labels.json']) {
      await edge.models.put(`${name}/2/${file}`, await readFile(assetPath(`${name}/1/${file}`)));
    }
    const manifest = JSON.parse(await readFile(assetPath(`${name}/1/manifest.json`), 'utf8'));
    await edge.models.put(`${name}/2/manifest.json`, text({ ...manifest, version: '2' }));
    await edge.models.put('catalog.json', text({ default_model: name, models: [{ name, version: '2' }] }));

    const seen = new Set<string>();
    const deadline = Date.now() + 10_000;
    while (!seen.has('2') && Date.now() < deadline) {
      for (const version of await Promise.all([classify(), classify(), classify()])) seen.add(version);
    }
    expect([...seen]).toContain('2');
    expect(await classify()).toBe('2');
  });
});
