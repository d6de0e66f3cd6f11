import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/cli/paths.ts';
import { goldenPath, photoFiles } from '../golden/golden.ts';
import { type BatchJson, collectResults, waitForEnd } from './batch-client.ts';
import { type EdgeProcess, freePort, startEdgeProcess } from './edge-process.ts';

const image = (await readFile(goldenPath(photoFiles.cat))).toString('base64');
let state: string;
let edge: EdgeProcess | undefined;
beforeAll(async () => {
  state = await mkdtemp(join(tmpdir(), 'edge-state-'));
  edge = await start();
});
afterAll(async () => {
  await edge?.kill();
  await rm(state, { recursive: true });
});

const start = () =>
  startEdgeProcess({
    RESNET_EDGE_STATE_DIR: state,
    BATCH_STALL_SECONDS: '1',
    BATCH_RETRY_BASE_SECONDS: '1',
  });

async function submit(count: number): Promise<string> {
  const response = await edge!.fetch('/v1/batches?top_k=1', {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: `${JSON.stringify({ image })}\n`.repeat(count),
  });
  expect(response.status).toBe(202);
  return ((await response.json()) as BatchJson).id;
}

async function expectAllCats(id: string, count: number): Promise<void> {
  expect(await waitForEnd(edge!, id, undefined, 60_000)).toMatchObject({
    status: 'succeeded',
    counts: { total: count, succeeded: count, failed: 0, pending: 0 },
  });
  const rows = await collectResults(edge!, id);
  expect(rows.map(({ index }) => index)).toEqual(Array.from({ length: count }, (_, index) => index));
  for (const row of rows) expect(row.predictions?.[0]?.label).toBe('Egyptian cat');
}

describe('a batch on the edge itself', () => {
  it('goes on where the edge was killed, and counts nothing twice', async () => {
    const id = await submit(200);
    const before = await waitForEnd(edge!, id, ({ counts }) => counts.succeeded > 0);
    expect(before.status).toBe('processing');
    await edge!.kill();
    edge = await start();
    const after = (await (await edge.fetch(`/v1/batches/${id}`)).json()) as BatchJson;
    expect(after.counts.succeeded).toBeGreaterThanOrEqual(before.counts.succeeded);
    await expectAllCats(id, 200);
  });

  it('waits while R2 cannot be read, and blames no image for it', async () => {
    const blobs = join(state, 'v3/r2/resnet-edge-batches/blobs');
    const stored = new Set(await readdir(blobs).catch(() => []));
    const id = await submit(3);
    // A folder where the images' file was: R2's local double fails with an error of its own, as R2 would.
    const broken = (await readdir(blobs)).filter((name) => !stored.has(name));
    expect(broken.length).toBeGreaterThan(0);
    for (const name of broken) {
      await rename(join(blobs, name), join(blobs, `${name}.kept`));
      await mkdir(join(blobs, name));
    }
    const held = await waitForEnd(
      edge!,
      id,
      ({ trouble, status }) => trouble !== null || status !== 'processing',
    );
    expect(held).toMatchObject({
      status: 'processing',
      trouble: 'storage_unavailable',
      counts: { succeeded: 0, failed: 0 },
    });
    for (const name of broken) {
      await rm(join(blobs, name), { recursive: true });
      await rename(join(blobs, `${name}.kept`), join(blobs, name));
    }
    await expectAllCats(id, 3);
  });
});

describe('npm run start:all', () => {
  it('runs batches on its tier, and ends with 0 on SIGTERM', async () => {
    await edge!.kill();
    edge = await startEdgeProcess(
      { RESNET_EDGE_STATE_DIR: state, TIER_PORT: String(await freePort()) },
      'start:all',
    );
    const id = await submit(2);
    await expectAllCats(id, 2);
    const batch = await (await edge.fetch(`/v1/batches/${id}`)).json();
    expect(batch).toMatchObject({ tier: 'node', model_version: '3' });
    expect(await edge.stop()).toBe(0);
  });

  it('leaves no tier behind when it is killed', async () => {
    const tierPort = await freePort();
    const env = { ...process.env, PORT: String(await freePort()), TIER_PORT: String(tierPort) };
    // Not npm's any more: only the channel tells the tier.
    delete (env as NodeJS.ProcessEnv)['npm_lifecycle_event'];
    const all = spawn(process.execPath, ['src/cli/main.ts', 'start:all'], {
      cwd: projectRoot,
      env: { ...env, RESNET_EDGE_STATE_DIR: state },
      detached: true,
      stdio: 'ignore',
    });
    const isServing = () =>
      fetch(`http://127.0.0.1:${tierPort}/v1/health/live`, { signal: AbortSignal.timeout(2_000) }).then(
        ({ ok }) => ok,
        () => false,
      );
    try {
      await expect.poll(isServing).toBe(true);
      all.kill('SIGKILL');
      await expect.poll(isServing).toBe(false);
    } finally {
      try {
        process.kill(-all.pid!, 'SIGKILL');
      } catch {} // nothing is left of it
    }
  });
});
