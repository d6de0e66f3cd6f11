import { readFile } from 'node:fs/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { makeOrtVersion } from '../golden/default-versions.ts';
import { goldenPath } from '../golden/golden.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';

let edge: EdgeServer | undefined;
afterEach(async () => {
  await edge?.stop();
  edge = undefined;
});

const photo = new Uint8Array(await readFile(goldenPath('cat.jpg')));
const classify = (server: EdgeServer, init: RequestInit = {}) =>
  server.fetch('/v1/classify?top_k=1', { method: 'POST', body: photo, ...init });

async function expectCat(response: Response): Promise<void> {
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({ predictions: [{ label: 'Egyptian cat' }] });
}

const countLoads = (server: EdgeServer) =>
  server.logs().filter(({ event }) => event === 'model_loaded').length;

/** The default network without the engine's file. */
const ortVersion = makeOrtVersion();

const versions = [
  { version: '3', runtime: 'resnet-int8' },
  { version: '1', runtime: 'onnxruntime-web' },
] as const;

describe.each(versions)('a fresh isolate with $runtime', ({ version, runtime }) => {
  const start = async () => {
    const server = await startEdge({ bundle: version === '1' ? 'whole' : 'light' });
    const name = 'resnet18-imagenet1k';
    const catalog = { default_model: name, models: [{ name, version }] };
    if (version === '1') for (const [key, bytes] of await ortVersion) await server.models.put(key, bytes);
    await server.models.put('catalog.json', new TextEncoder().encode(JSON.stringify(catalog)));
    return server;
  };

  it('loads the model once for 20 first requests at once, and answers all', async () => {
    edge = await start();
    const server = edge;
    const responses = await Promise.all(Array.from({ length: 20 }, () => classify(server)));
    await Promise.all(responses.map(expectCat));
    expect(countLoads(server)).toBe(1);
    const { runtime_memory_bytes, runtimes } = (await (await server.fetch('/v1/health/ready')).json()) as {
      runtime_memory_bytes: number;
      runtimes: readonly { readonly name: string; readonly kernels?: string }[];
    };
    expect(runtimes.map(({ name }) => name)).toEqual([runtime]);
    expect([undefined, 'plain', 'relaxed']).toContain(runtimes[0]?.kernels);
    expect(runtimes[0]?.kernels === undefined).toBe(runtime === 'onnxruntime-web');
    expect(runtime_memory_bytes).toBeGreaterThan(16_000_000);
    expect(runtime_memory_bytes).toBeLessThanOrEqual(40_000_000);
  });

  it.each([5, 40, 150])('is not hurt by a first client that hangs up after %i ms', async (delayMs) => {
    edge = await start();
    const server = edge;
    const abort = new AbortController();
    const first = classify(server, { signal: abort.signal }).then(
      ({ status }) => status,
      (error: Error) => error.name,
    );
    setTimeout(() => abort.abort(), delayMs);
    await new Promise((resolve) => setTimeout(resolve, delayMs - 2));
    const others = await Promise.all(Array.from({ length: 4 }, () => classify(server)));
    await Promise.all(others.map(expectCat));
    // The engine may have answered before the client hangs up.
    expect(['AbortError', 200]).toContain(await first);
    await expectCat(await classify(server));
  });
});

it('runs the kernels that the configuration forces, and says so', async () => {
  edge = await startEdge({ vars: { ENGINE_KERNELS: 'plain' } });
  const ready = await edge.fetch('/v1/health/ready');
  expect(await ready.json()).toMatchObject({ runtimes: [{ name: 'resnet-int8', kernels: 'plain' }] });
  await expectCat(await classify(edge));
});
