import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, it, onTestFinished, vi } from 'vitest';
import { defaultChoice } from '../../../src/classify/choice.ts';
import { Classifier } from '../../../src/classify/classifier.ts';
import { Gate } from '../../../src/classify/gate.ts';
import { bootEdgeRuntime } from '../../../src/cli/models/node-runtime.ts';
import { createEdgeRunner } from '../../../src/jobs/batch/edge-runner.ts';
import { CatalogReader } from '../../../src/model/catalog-reader.ts';
import { createFsModelStore } from '../../../src/model/fs-model-store.ts';
import { ModelSources } from '../../../src/model/model-sources.ts';
import { SessionCache } from '../../../src/model/session-cache.ts';
import { createNodeSha256 } from '../../../src/model/sha256-node.ts';
import { writeStore } from '../../golden/default-versions.ts';
import { defaultModel, goldenPath } from '../../golden/golden.ts';

const webpPath = createRequire(import.meta.url).resolve('@jsquash/webp/codec/dec/webp_dec.wasm');
/** Loading takes as long as it takes. */
const waiting = { timeout: 50_000 };
const read = async (file: string) => new Uint8Array(await readFile(goldenPath(file)));

it('an item of a batch waits while a request decodes: an isolate has memory for one decoder', async () => {
  const root = await mkdtemp(join(tmpdir(), 'resnet-edge-store-'));
  onTestFinished(() => rm(root, { recursive: true }));
  await writeStore(root);
  const sources = new ModelSources([{ name: 'folder', store: createFsModelStore(root) }]);
  const catalog = new CatalogReader(sources, createNodeSha256);
  const sessions = new SessionCache({
    sources,
    createSha256: createNodeSha256,
    bootRuntime: bootEdgeRuntime,
  });
  const decoding = new Gate({ capacity: 1, maxWaiting: 4, maxHoldMs: 600_000 });
  const webp = Promise.withResolvers<WebAssembly.Module>();
  const loads = vi.fn(() => webp.promise);
  const classifier = new Classifier({ catalog, sessions, decoding, image: { loadWebpModule: loads } });
  const manifest = await catalog.readManifest(undefined);
  const ended: string[] = [];

  // The request's decode stands still: it has its place, and its decoder's module is on its way.
  const request = classifier
    .classify(
      new Uint8Array(
        await sharp(await read('cat.webp'))
          .webp({ lossless: true })
          .toBuffer(),
      ),
      manifest,
      { ...defaultChoice, topK: 1 },
      {
        keepAlive: () => undefined,
        deadline: Date.now() + 600_000,
        isCancelled: () => false,
      },
    )
    .then(() => ended.push('request'));
  await vi.waitFor(() => expect(loads).toHaveBeenCalledOnce(), waiting);

  const options = { ...defaultChoice, model: defaultModel.name, modelVersion: defaultModel.version, topK: 1 };
  const items = (async function* () {
    yield { index: 0, bytes: await read('cat.jpg') };
  })();
  const batch = (async () => {
    const results = [];
    for await (const result of createEdgeRunner(classifier, catalog).run(options, 1, items))
      results.push(result);
    ended.push('batch');
    return results;
  })();
  await vi.waitFor(() => expect(decoding.state()).toEqual({ used: 1, waiting: 1 }), waiting);
  expect(ended).toEqual([]);

  webp.resolve(await WebAssembly.compile(await readFile(webpPath)));
  await request;
  expect(await batch).toMatchObject([
    {
      index: 0,
      result: { model: defaultModel.name, tier: 'edge', predictions: [{ label: 'Egyptian cat' }] },
    },
  ]);
  expect(ended).toEqual(['request', 'batch']);
  expect(decoding.state()).toEqual({ used: 0, waiting: 0 });
});

it('what says nothing against an image is trouble with a time to come back; a bad image is its own result', async () => {
  const root = await mkdtemp(join(tmpdir(), 'resnet-edge-store-'));
  onTestFinished(() => rm(root, { recursive: true }));
  await writeStore(root);
  const sources = new ModelSources([{ name: 'folder', store: createFsModelStore(root) }]);
  const catalog = new CatalogReader(sources, createNodeSha256);
  const createSessions = (from: ModelSources) =>
    new SessionCache({ sources: from, createSha256: createNodeSha256, bootRuntime: bootEdgeRuntime });
  const decoding = new Gate({ capacity: 1, maxWaiting: 0, maxHoldMs: 600_000 });
  const options = { ...defaultChoice, model: defaultModel.name, modelVersion: defaultModel.version, topK: 1 };
  const run = async (sessions: SessionCache, from: Pick<CatalogReader, 'readManifest'> = catalog) => {
    const classifier = new Classifier({ catalog, sessions, decoding, image: {} });
    const items = (async function* () {
      yield { index: 4, bytes: (await read('cat.jpg')).subarray(0, 3000) };
      yield { index: 5, bytes: await read('cat.jpg') };
    })();
    const results = [];
    for await (const result of createEdgeRunner(classifier, from).run(options, 2, items))
      results.push(result);
    return results;
  };
  const sessions = createSessions(sources);
  expect(await run(sessions)).toMatchObject([
    { index: 4, result: { problem: { code: 'image_truncated' } } },
    { index: 5, result: { tier: 'edge', predictions: [{ label: 'Egyptian cat' }] } },
  ]);

  const none = new ModelSources([]);
  await expect(run(sessions, new CatalogReader(none, createNodeSha256))).rejects.toMatchObject({
    name: 'TierTrouble',
    code: 'model_unavailable',
    retryAfterSeconds: 30,
    died: false,
  });
  await expect(run(createSessions(none))).rejects.toMatchObject({ code: 'model_unavailable' });
  const leave = await decoding.enter(1, { deadline: Date.now() + 600_000 });
  await expect(run(sessions)).rejects.toMatchObject({ code: 'overloaded', retryAfterSeconds: 1 });
  leave();
});
