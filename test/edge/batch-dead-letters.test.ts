import { afterAll, beforeAll, expect, it } from 'vitest';
import { startFaultyProxy } from '../tier/server/faulty-proxy.ts';
import { type BatchJson, collectResults, waitForEnd } from './batch-client.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';

let edge: EdgeServer;
let proxy: Awaited<ReturnType<typeof startFaultyProxy>>;
beforeAll(async () => {
  proxy = await startFaultyProxy('http://127.0.0.1:1');
  proxy.fault = 'wrong-secret';
  edge = await startEdge({
    configPath: './test/edge/with-few-retries.wrangler.toml',
    vars: { NODE_TIER_URL: proxy.url, NODE_TIER_SECRET: 'x', BATCH_RETRY_BASE_SECONDS: '0' },
  });
});
afterAll(async () => {
  await edge?.stop();
  await proxy?.close();
});

it('what the queue gives up is marked failed with its reason: the batch ends', async () => {
  proxy.fault = 'garbage';
  const response = await edge.fetch('/v1/batches', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      inputs: [...Array.from({ length: 33 }, () => ({ image: btoa('x') })), { r2_key: 'none' }],
    }),
  });
  const { id } = (await response.json()) as BatchJson;
  expect(await waitForEnd(edge, id)).toMatchObject({
    status: 'failed',
    counts: { total: 34, failed: 34, pending: 0 },
  });
  const rows = await collectResults(edge, id);
  expect(rows).toHaveLength(34);
  expect(rows[0]!.problem).toMatchObject({
    code: 'batch_retries_exhausted',
    detail: 'Given up after many attempts. Last: tier_garbage',
  });
  // What was known for good before the end stays as it was.
  expect(rows[33]!.problem).toMatchObject({ code: 'image_not_found' });
});
