import { afterAll, beforeAll, expect, it } from 'vitest';
import { type BucketServer, type ReadableBucket, serveBucket } from '../../src/cli/local/bucket-server.ts';
import { type FaultyProxy, startFaultyProxy } from '../tier/server/faulty-proxy.ts';
import { startTier, type TierProcess } from '../tier/server/tier-process.ts';
import { type BatchJson, collectResults, waitForEnd } from './batch-client.ts';
import { cutPhoto, type Subject } from './cut-photo.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';

const subjects: readonly Subject[] = ['cat', 'coffee'];
const taught = [0, 1, 2, 3];
const asked = [4, 5];

let edge: EdgeServer;
let bucket: BucketServer;
let tier: TierProcess;
let proxy: FaultyProxy;

beforeAll(async () => {
  proxy = await startFaultyProxy('http://127.0.0.1:1');
  edge = await startEdge({
    vars: {
      PUBLIC_SCOPES: 'classify,batch,teach',
      NODE_TIER_URL: proxy.url,
      NODE_TIER_SECRET: 'a-secret-of-the-tests',
      BATCH_RETRY_BASE_SECONDS: '0',
    },
  });
  // Both read one bucket, as in a deployment. The harness types as much of it as seeding needs.
  bucket = await serveBucket(edge.models as unknown as ReadableBucket);
  tier = await startTier({ ...bucket.variables, TIER_MODELS_DIR: undefined });
  proxy.target = tier.url;
}, 60_000);
afterAll(async () => {
  await edge?.stop();
  await tier?.stop();
  await proxy?.close();
  bucket?.stop();
});

async function post<T>(path: string, body?: object | FormData): Promise<T> {
  const isForm = body instanceof FormData;
  const response = await edge.fetch(path, {
    method: 'POST',
    ...(body && {
      body: isForm ? body : JSON.stringify(body),
      ...(!isForm && { headers: { 'content-type': 'application/json' } }),
    }),
  });
  expect(response.ok, path).toBe(true);
  return (await response.json()) as T;
}

async function teach(): Promise<string> {
  const { id } = await post<{ id: string }>('/v1/classifiers', { name: 'Things' });
  for (const subject of subjects) {
    const form = new FormData();
    form.append('class', subject);
    for (const index of taught) {
      form.append('image', new Blob([new Uint8Array(await cutPhoto(subject, index))]), `${index}.jpg`);
    }
    await post(`/v1/classifiers/${id}/examples`, form);
  }
  await post(`/v1/classifiers/${id}/train`);
  const isReady = async () =>
    ((await (await edge.fetch(`/v1/classifiers/${id}`)).json()) as { version: number | null }).version;
  await expect.poll(isReady).toBe(1);
  return id;
}

it('a batch of a classifier that a caller taught is classified by the Node tier', async () => {
  const model = await teach();
  const photos = subjects.flatMap((subject) => asked.map((index) => ({ subject, index })));
  const inputs = await Promise.all(
    photos.map(async ({ subject, index }) => ({
      image: (await cutPhoto(subject, index)).toString('base64'),
    })),
  );
  const { id } = await post<BatchJson>('/v1/batches', { model, inputs });
  expect(await waitForEnd(edge, id)).toMatchObject({ status: 'succeeded', trouble: null });
  const rows = await collectResults(edge, id);
  expect(rows.toSorted((a, b) => a.index - b.index)).toMatchObject(
    photos.map(({ subject }) => ({ model, tier: 'node', predictions: [{ label: subject }, {}] })),
  );
});
