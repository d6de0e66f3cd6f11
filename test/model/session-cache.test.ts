import { afterEach, describe, expect, it, vi } from 'vitest';
import { bootEdgeRuntime } from '../../src/cli/models/node-runtime.ts';
import type { InferenceRuntime } from '../../src/inference/session.ts';
import { CatalogReader } from '../../src/model/catalog-reader.ts';
import type { ModelManifest, RuntimeName } from '../../src/model/manifest.ts';
import { ModelSources } from '../../src/model/model-sources.ts';
import { SessionCache } from '../../src/model/session-cache.ts';
import { createNodeSha256 } from '../../src/model/sha256-node.ts';
import { createFaultyStore } from './faulty-store.ts';

const ignore = () => undefined;
afterEach(() => {
  vi.useRealTimers();
});

function build(
  store: ReturnType<typeof createFaultyStore>,
  options: { loadTimeoutMs?: number; cooldownMs?: number; now?: () => number } = {},
) {
  const sources = new ModelSources([{ name: 'file', store }]);
  const catalog = new CatalogReader(sources, createNodeSha256);
  let runtime: InferenceRuntime | undefined;
  const bootRuntime = async (name: RuntimeName) => {
    runtime = await bootEdgeRuntime(name);
    return runtime;
  };
  const sessions = new SessionCache({
    sources,
    createSha256: createNodeSha256,
    bootRuntime,
    cooldownMs: 0,
    ...options,
  });
  return { catalog, sessions, memoryBytes: () => runtime?.memoryBytes() };
}

const getSession = (sessions: SessionCache, manifest: ModelManifest) =>
  sessions.withSession(manifest, ignore, async (session) => session);

/** Runs the timers by which a load lets other work have its turn, without letting time pass. */
async function passTurns(until: Promise<unknown>): Promise<void> {
  let isSettled = false;
  const settle = () => {
    isSettled = true;
  };
  until.then(settle, settle);
  while (!isSettled) {
    await new Promise((resolve) => setImmediate(resolve));
    vi.advanceTimersByTime(0);
  }
}

const countModelReads = (opened: readonly string[]) => opened.filter((key) => key.includes('/model.')).length;

describe('SessionCache on the real runtime', () => {
  it('loads once for many callers and keeps the session', async () => {
    const store = createFaultyStore();
    const { catalog, sessions } = build(store);
    const manifest = await catalog.readManifest(undefined);
    const got = await Promise.all(Array.from({ length: 10 }, () => getSession(sessions, manifest)));
    expect(new Set(got).size).toBe(1);
    expect(await getSession(sessions, manifest)).toBe(got[0]);
    expect(countModelReads(store.opened)).toBe(1);
    expect(sessions.loadedModels()).toEqual(['resnet18-imagenet1k/3']);
  });

  it('hands the load to keepAlive once, so that it outlives its request', async () => {
    const { catalog, sessions } = build(createFaultyStore());
    const manifest = await catalog.readManifest(undefined);
    const kept: Promise<unknown>[] = [];
    await Promise.all(
      [1, 2, 3].map(() =>
        sessions.withSession(
          manifest,
          (work) => kept.push(work),
          async (session) => session,
        ),
      ),
    );
    expect(kept).toHaveLength(1);
  });

  it('gives up on a read that hangs, frees its memory, and loads afresh for the next', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    let hang = true;
    let hung = Promise.withResolvers<void>();
    const store = createFaultyStore((key, bytes) => {
      if (!hang || !key.includes('/model.')) return bytes;
      let pulls = 0;
      return new ReadableStream(
        {
          pull(controller) {
            if (pulls++ === 0) return controller.enqueue(bytes.subarray(0, 65536));
            hung.resolve();
            return new Promise(() => undefined);
          },
        },
        { highWaterMark: 0 },
      );
    });
    const { catalog, sessions, memoryBytes } = build(store, { loadTimeoutMs: 300 });
    const manifest = await catalog.readManifest(undefined);
    /** Time passes when the load stands still, not while it is on its way. */
    const loadUntilLate = async (count: number) => {
      hung = Promise.withResolvers<void>();
      const outcomes = Promise.allSettled(
        Array.from({ length: count }, () => getSession(sessions, manifest)),
      );
      await passTurns(hung.promise);
      vi.advanceTimersByTime(300);
      return await outcomes;
    };
    const outcomes = await loadUntilLate(3);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: { code: 'model_unavailable', retryAfterSeconds: 5 },
      });
    }
    const afterHang = memoryBytes();
    for (let attempt = 0; attempt < 3; attempt++) {
      expect(await loadUntilLate(1)).toMatchObject([
        { status: 'rejected', reason: { code: 'model_unavailable' } },
      ]);
    }
    expect(memoryBytes()).toBe(afterHang);
    hang = false;
    const loaded = getSession(sessions, manifest);
    await passTurns(loaded);
    await expect(loaded).resolves.toHaveProperty('inputName', 'data');
  });

  it('does not remember a failure beyond its cooldown', async () => {
    let broken = true;
    const store = createFaultyStore((key, bytes) => (broken && key.includes('/model.') ? undefined : bytes));
    let now = 0;
    const { catalog, sessions } = build(store, { cooldownMs: 200, now: () => now });
    const manifest = await catalog.readManifest(undefined);
    const expectUnavailable = () =>
      expect(getSession(sessions, manifest)).rejects.toMatchObject({ code: 'model_unavailable' });
    await expectUnavailable();
    broken = false;
    now = 199;
    await expectUnavailable();
    expect(countModelReads(store.opened)).toBe(1);
    now = 200;
    await expect(getSession(sessions, manifest)).resolves.toHaveProperty('outputName', 'logits');
  });

  it('refuses a model of the batch tier', async () => {
    const { catalog, sessions } = build(createFaultyStore());
    const manifest = await catalog.readManifest(undefined);
    await expect(getSession(sessions, { ...manifest, version: '9', tier: 'node' })).rejects.toMatchObject({
      code: 'model_requires_batch_tier',
    });
  });

  it('refuses a manifest that names other inputs or outputs than the model has', async () => {
    const { catalog, sessions } = build(createFaultyStore());
    const manifest = await catalog.readManifest(undefined);
    const wrong = { ...manifest, output: { ...manifest.output, name: 'probabilities' } };
    await expect(getSession(sessions, wrong)).rejects.toMatchObject({
      code: 'model_manifest_invalid',
    });
  });
});

describe('CatalogReader', () => {
  it('asks the store again only after the time to live, and keeps the old answer if that fails', async () => {
    let now = 0;
    let failing = false;
    const store = createFaultyStore((_, bytes) => (failing ? new Error('down') : bytes));
    const catalog = new CatalogReader(new ModelSources([{ name: 'file', store }]), createNodeSha256, {
      now: () => now,
    });
    await catalog.readCatalog();
    now = 29_999;
    await catalog.readCatalog();
    expect(store.opened).toHaveLength(1);
    now = 30_000;
    failing = true;
    expect((await catalog.readCatalog()).defaultModel).toBe('resnet18-imagenet1k');
    expect(store.opened).toHaveLength(2);
    failing = false;
    await catalog.readCatalog();
    expect(store.opened).toHaveLength(3);
  });
});
