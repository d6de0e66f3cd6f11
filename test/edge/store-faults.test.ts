import { readFile } from 'node:fs/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { modelLoadCooldownMs } from '../../src/limits.ts';
import { readAsset } from '../golden/default-versions.ts';
import { defaultKey, goldenPath } from '../golden/golden.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';

const modelKey = defaultKey('model.rni8');
const photo = new Uint8Array(await readFile(goldenPath('cat.jpg')));
const read = readAsset;

let edge: EdgeServer;
afterEach(() => edge?.stop());

const classify = () => edge.fetch('/v1/classify?top_k=1', { method: 'POST', body: photo });

describe('a store that is broken', () => {
  it.each<[string, string, string, (intact: Uint8Array<ArrayBuffer>) => Uint8Array | undefined]>([
    ['no model file', modelKey, 'model_unavailable', () => undefined],
    ['a truncated model file', modelKey, 'model_corrupt', (bytes) => bytes.subarray(0, bytes.length - 1000)],
    ['a model file with one flipped bit', modelKey, 'model_corrupt', (bytes) => flipBit(bytes, 9_000_000)],
    ['no manifest', defaultKey('manifest.json'), 'model_unavailable', () => undefined],
    [
      'a manifest that is not JSON',
      defaultKey('manifest.json'),
      'model_manifest_invalid',
      (bytes) => bytes.subarray(5),
    ],
    [
      'a flipped bit in the labels',
      defaultKey('labels.json'),
      'model_corrupt',
      (bytes) => flipBit(bytes, 500),
    ],
    ['no catalogue', 'catalog.json', 'model_unavailable', () => undefined],
  ])('%s: 503 with a code, not ready, and well again once it is repaired', async (_, key, code, damage) => {
    edge = await startEdge();
    const damaged = damage(await read(key));
    if (damaged) await edge.models.put(key, damaged);
    else await edge.models.delete(key);

    for (const response of [await classify(), await classify(), await edge.fetch('/v1/health/ready')]) {
      // Labels are not needed to load the model, only to answer.
      if (key.endsWith('labels.json') && response.url.endsWith('/ready')) continue;
      expect(response.status).toBe(503);
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(await response.json()).toMatchObject({ code });
    }
    expect((await edge.fetch('/v1/health/live')).status).toBe(200);

    await edge.models.put(key, await read(key));
    await new Promise((resolve) => setTimeout(resolve, modelLoadCooldownMs + 100));
    const repaired = await classify();
    expect(repaired.status).toBe(200);
    expect(await repaired.json()).toMatchObject({ predictions: [{ label: 'Egyptian cat' }] });
  });
});

function flipBit(bytes: Uint8Array<ArrayBuffer>, at: number): Uint8Array {
  const copy = bytes.slice();
  copy[at]! ^= 1;
  return copy;
}
