import { describe, expect, it } from 'vitest';
import { bootEdgeRuntime } from '../../src/cli/models/node-runtime.ts';
import { modelReadTimeoutMs } from '../../src/limits.ts';
import { CatalogReader } from '../../src/model/catalog-reader.ts';
import { ModelSources } from '../../src/model/model-sources.ts';
import { SessionCache } from '../../src/model/session-cache.ts';
import { createNodeSha256 } from '../../src/model/sha256-node.ts';
import { createFaultyStore, type Fault } from './faulty-store.ts';

const onlyModel =
  (fault: Fault): Fault =>
  (key, bytes) =>
    key.includes('/model.') ? fault(key, bytes) : bytes;
const hang = (bytes: Uint8Array) =>
  new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(bytes.subarray(0, 1000)) });

const faults: readonly [string, string, Fault][] = [
  ['is down', 'model_unavailable', () => new Error('503')],
  ['has nothing', 'model_unavailable', () => undefined],
  ['has no model file', 'model_unavailable', onlyModel(() => undefined)],
  [
    'ends early',
    'model_unavailable',
    onlyModel((_, bytes) => new Blob([bytes.slice(0, 5_000_000)]).stream()),
  ],
  ['has a shorter file', 'model_corrupt', onlyModel((_, bytes) => bytes.slice(0, 5_000_000))],
  [
    'has another file of the same size',
    'model_corrupt',
    onlyModel((_, bytes) => new Uint8Array(bytes.length)),
  ],
  [
    'breaks off with an error',
    'model_unavailable',
    onlyModel(() => new ReadableStream({ pull: (controller) => controller.error(new Error('reset')) })),
  ],
  ['hangs', 'model_unavailable', onlyModel((_, bytes) => hang(bytes))],
];

function build(...stores: ReturnType<typeof createFaultyStore>[]) {
  const failures: { source: string; key: string; code: unknown }[] = [];
  const sources = new ModelSources(
    stores.map((store, index) => ({ name: `source-${index}`, store })),
    (source, key, error) => failures.push({ source, key, code: (error as { code?: unknown }).code ?? 'raw' }),
  );
  const catalog = new CatalogReader(sources, createNodeSha256);
  const sessions = new SessionCache({
    sources,
    createSha256: createNodeSha256,
    bootRuntime: bootEdgeRuntime,
    cooldownMs: 0,
  });
  const load = async () =>
    sessions.withSession(
      await catalog.readManifest(undefined),
      () => undefined,
      async (session) => session.inputName,
    );
  return { load, failures };
}

describe('two sources', () => {
  it.each(faults)(
    'the second serves when the first %s',
    async (_, code, fault) => {
      const { load, failures } = build(createFaultyStore(fault), createFaultyStore());
      expect(await load()).toBe('data');
      expect(failures.length).toBeGreaterThan(0);
      expect(failures.every(({ source }) => source === 'source-0')).toBe(true);
      expect([code, 'raw']).toContain(failures.at(-1)!.code);
    },
    modelReadTimeoutMs + 20_000,
  );

  it.each(faults.filter(([name]) => name !== 'hangs'))(
    'both %s: an error with a retry, and recovery by itself',
    async (_, code, fault) => {
      let broken = true;
      const sometimes: Fault = (key, bytes) => (broken ? fault(key, bytes) : bytes);
      const { load } = build(createFaultyStore(sometimes), createFaultyStore(sometimes));
      await expect(load()).rejects.toMatchObject({ code, retryAfterSeconds: expect.any(Number) });
      broken = false;
      expect(await load()).toBe('data');
    },
  );

  it('tells of the file that is wrong rather than of the one that is missing', async () => {
    const wrong = onlyModel((_, bytes) => new Uint8Array(bytes.length));
    const { load } = build(
      createFaultyStore(wrong),
      createFaultyStore(() => undefined),
    );
    await expect(load()).rejects.toMatchObject({ code: 'model_corrupt' });
  });
});
