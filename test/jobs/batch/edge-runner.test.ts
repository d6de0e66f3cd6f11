import { mkdtemp, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
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
      await read('cat.webp'),
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
