import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { goldenPath, photoFiles } from '../golden/golden.ts';
import { startTier, type TierProcess } from '../tier/server/tier-process.ts';
import { type BatchJson, waitForEnd } from './batch-client.ts';
import { type EdgeProcess, startEdgeProcess } from './edge-process.ts';

const connectMs = 1500;
const image = (await readFile(goldenPath(photoFiles.cat))).toString('base64');

let tier: TierProcess;
let front: Front;
let state: string;
let edge: EdgeProcess;
beforeAll(async () => {
  tier = await startTier();
  front = await startFront(tier.url);
  state = await mkdtemp(join(tmpdir(), 'edge-state-'));
  // `npm start`: here a Worker's requests take workerd's own network; in the other suites, miniflare's server.
  edge = await startEdgeProcess({
    RESNET_EDGE_STATE_DIR: state,
    NODE_TIER_URL: front.url,
    NODE_TIER_SECRET: tier.secret,
    NODE_TIER_CONNECT_MS: String(connectMs),
    BATCH_RETRY_BASE_SECONDS: '0',
  });
});
afterAll(async () => {
  await edge?.kill();
  front?.server.closeAllConnections();
  front?.server.close();
  await tier?.stop();
  await rm(state, { recursive: true });
});

interface Front {
  readonly server: Server;
  readonly url: string;
  /** Requests that it has seen. */
  requests: number;
}

/** A balancer before the tier: refuses the first upload, and reads nothing more on its connection. */
async function startFront(target: string): Promise<Front> {
  const server = createServer((incoming, answer) => {
    front.requests++;
    if (front.requests > 1) {
      const { method, headers, url } = incoming;
      const upstream = request(new URL(url!, target), { method, headers }, (result) => {
        answer.writeHead(result.statusCode!, result.headers);
        result.pipe(answer);
      });
      incoming.pipe(upstream.on('error', () => answer.destroy()));
      return;
    }
    incoming.once('data', () => incoming.pause()).on('error', () => undefined);
    // The sockets have taken the whole upload by then: workerd has no reason to give the connection up.
    setTimeout(() => answer.writeHead(503, { 'content-length': 0 }).end(), 300);
  });
  // It would not close the connection by itself.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { server, url: `http://127.0.0.1:${port}`, requests: 0 };
}

it('a connection on which the tier answered early and reads no more costs one wait, not the batch', async () => {
  const response = await edge.fetch('/v1/batches', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ inputs: Array.from({ length: 8 }, () => ({ image })), top_k: 1 }),
  });
  expect(response.status).toBe(202);
  const { id } = (await response.json()) as BatchJson;
  const held = await waitForEnd(
    edge,
    id,
    ({ trouble, status }) => trouble === 'tier_timeout' || status === 'succeeded',
  );
  // workerd has sent the second attempt where nobody reads: nobody has seen it.
  expect(held).toMatchObject({ status: 'processing', trouble: 'tier_timeout' });
  expect(front.requests).toBe(1);
  expect(await waitForEnd(edge, id, undefined, 20_000)).toMatchObject({ status: 'succeeded' });
});
