import { readdir, readFile } from 'node:fs/promises';
import { afterEach, expect, it } from 'vitest';
import { engineBuildDir } from '../../src/cli/paths.ts';
import { makeOrtVersion } from '../golden/default-versions.ts';
import { goldenPath } from '../golden/golden.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';

let edge: EdgeServer;
afterEach(() => edge?.stop());

it('answers from a bundle without onnxruntime-web, and refuses what needs it', async () => {
  expect((await readdir(engineBuildDir)).filter((file) => file.includes('ort-wasm'))).toEqual([]);
  edge = await startEdge({
    configPath: './test/edge/engine-only.wrangler.toml',
    bundle: 'engine',
  });
  const body = new Uint8Array(await readFile(goldenPath('cat.jpg')));
  const ask = () => edge.fetch('/v1/classify?top_k=1', { method: 'POST', body });
  expect(await (await ask()).json()).toMatchObject({ predictions: [{ label: 'Egyptian cat' }] });
  await edge.stop();

  edge = await startEdge({
    configPath: './test/edge/engine-only.wrangler.toml',
    bundle: 'engine',
  });
  const name = 'resnet18-imagenet1k';
  for (const [key, bytes] of await makeOrtVersion({ version: '1' })) await edge.models.put(key, bytes);
  const catalog = { default_model: name, models: [{ name, version: '1' }] };
  await edge.models.put('catalog.json', new TextEncoder().encode(JSON.stringify(catalog)));
  const refused = await ask();
  expect(refused.status).toBe(503);
  expect(await refused.json()).toMatchObject({ code: 'model_manifest_invalid' });
});
