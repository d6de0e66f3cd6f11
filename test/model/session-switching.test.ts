import { cp, mkdir, mkdtemp, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { bootOrtWeb } from '../../src/inference/ort-web.ts';
import { createFsModelStore } from '../../src/model/fs-model-store.ts';
import { type ModelManifest, parseManifest } from '../../src/model/manifest.ts';
import { ModelSources } from '../../src/model/model-sources.ts';
import { SessionCache } from '../../src/model/session-cache.ts';
import { createNodeSha256 } from '../../src/model/sha256-node.ts';
import { assetPath, goldenPath, readCropTensor } from '../golden/golden.ts';

const wasmPath = createRequire(import.meta.url).resolve('onnxruntime-web/ort-wasm-simd-threaded.wasm');
const ignore = () => undefined;
const MiB = 1024 * 1024;

let root: string;
let manifest: ModelManifest;
let crop: Float32Array;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'switch-'));
  for (const version of ['1', '2', '3']) {
    await mkdir(join(root, 'resnet18-imagenet1k', version), { recursive: true });
    await cp(
      assetPath('resnet18-imagenet1k/1/model.ort'),
      join(root, 'resnet18-imagenet1k', version, 'model.ort'),
    );
  }
  manifest = parseManifest(
    JSON.parse(await readFile(assetPath('resnet18-imagenet1k/1/manifest.json'), 'utf8')),
  );
  crop = await readCropTensor(goldenPath('cat.crop.png'));
});

async function createCache(maxRuntimeBytes: number): Promise<SessionCache> {
  const wasm = await WebAssembly.compile(await readFile(wasmPath));
  return new SessionCache({
    sources: new ModelSources([{ name: 'folder', store: createFsModelStore(root) }]),
    createSha256: createNodeSha256,
    bootRuntime: () => bootOrtWeb(wasm),
    maxRuntimeBytes,
  });
}

async function classify(sessions: SessionCache, version: string): Promise<number> {
  return await sessions.withSession({ ...manifest, version }, ignore, async (session) => {
    const { data } = await session.run({ datatype: 'FP32', shape: [1, 3, 224, 224], data: crop });
    return data.indexOf(Math.max(...data));
  });
}

describe('a memory budget with room for one model', () => {
  it('switches 20 times without growing the heap, and answers right each time', async () => {
    const sessions = await createCache(40 * MiB);
    expect(await classify(sessions, '1')).toBe(285);
    const memory = sessions.memoryBytes();
    for (let cycle = 0; cycle < 20; cycle++) {
      const version = cycle % 2 === 0 ? '2' : '1';
      expect(await classify(sessions, version)).toBe(285);
      expect(sessions.loadedModels()).toEqual([`resnet18-imagenet1k/${version}`]);
    }
    expect(sessions.memoryBytes()).toBe(memory);
  });

  it('never takes a model from under a request: the other one is told to come again', async () => {
    const sessions = await createCache(40 * MiB);
    await sessions.withSession(manifest, ignore, async () => {
      await expect(classify(sessions, '2')).rejects.toMatchObject({
        code: 'model_out_of_memory',
        retryAfterSeconds: 1,
      });
    });
    expect(await classify(sessions, '2')).toBe(285);
  });
});

describe('a memory budget with room for two', () => {
  it('keeps both, and lets the one that has been idle longest go for a third', async () => {
    const sessions = await createCache(60 * MiB);
    for (const version of ['1', '2', '1', '3']) expect(await classify(sessions, version)).toBe(285);
    expect(sessions.loadedModels()).toEqual(['resnet18-imagenet1k/1', 'resnet18-imagenet1k/3']);
  });
});
