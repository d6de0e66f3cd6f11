import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { goldenPath, photoFiles } from '../golden/golden.ts';
import { type Fault, type FaultyProxy, poison, startFaultyProxy } from '../tier/server/faulty-proxy.ts';
import { startTier, type TierProcess } from '../tier/server/tier-process.ts';
import { type BatchJson, collectResults, getBatch, waitForEnd } from './batch-client.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';

const webhookSecret = `whsec_${Buffer.from('0123456789abcdefghijklmnopqrstuv').toString('base64')}`;
const cat = await readFile(goldenPath(photoFiles.cat));
const image = cat.toString('base64');

let tier: TierProcess;
let proxy: FaultyProxy;
let edge: EdgeServer;
let outside: Outside;
beforeAll(async () => {
  tier = await startTier();
  proxy = await startFaultyProxy(tier.url);
  outside = await startOutside();
  edge = await startEdge({
    vars: {
      NODE_TIER_URL: proxy.url,
      NODE_TIER_SECRET: tier.secret,
      NODE_TIER_CONNECT_MS: '1500',
      NODE_TIER_SILENCE_MS: '1500',
      BATCH_RETRY_BASE_SECONDS: '0',
      BATCH_STALL_SECONDS: '1',
      IMAGE_URL_ALLOW: outside.url,
      WEBHOOK_URL_ALLOW: outside.url,
      WEBHOOK_SECRETS: webhookSecret,
      WEBHOOK_RETRY_SECONDS: '1',
    },
  });
});
afterAll(async () => {
  await edge?.stop();
  await proxy?.close();
  await outside?.close();
  await tier?.stop();
});
beforeEach(() => {
  proxy.fault = 'none';
});

/** Someone else's server: images that are sometimes not to be had, and a receiver of webhooks. */
interface Outside {
  readonly url: string;
  /** Answers of /image and /hook by turns; the last one stays. */
  statuses: number[];
  readonly events: { headers: Record<string, string>; body: string; status: number }[];
  close(): Promise<unknown>;
}

async function startOutside(): Promise<Outside> {
  const server: Server = createServer(async (request, answer) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const status =
      outsideState.statuses.length > 1 ? outsideState.statuses.shift()! : outsideState.statuses[0]!;
    if (request.url === '/image') {
      answer.writeHead(status).end(status === 200 ? cat : undefined);
      return;
    }
    outsideState.events.push({ headers: request.headers as Record<string, string>, body, status });
    answer.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const outsideState: Outside = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    statuses: [200],
    events: [],
    close: () => new Promise((resolve) => server.close(resolve)),
  };
  return outsideState;
}

async function submit(inputs: readonly object[], options: object = {}): Promise<BatchJson> {
  const response = await edge.fetch('/v1/batches', {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: [{ top_k: 1, ...options }, ...inputs].map((line) => JSON.stringify(line)).join('\n'),
  });
  const body = (await response.json()) as BatchJson;
  expect(response.status, JSON.stringify(body)).toBe(202);
  return body;
}

const images = (count: number) => Array.from({ length: count }, () => ({ image }));

async function expectAllCats(id: string, count: number): Promise<void> {
  const rows = await collectResults(edge, id);
  expect(rows.map(({ index }) => index)).toEqual(Array.from({ length: count }, (_, index) => index));
  for (const row of rows) expect(row.predictions?.[0]?.label, JSON.stringify(row)).toBe('Egyptian cat');
}

describe('a batch on the Node tier', () => {
  it('is answered by it, and says so', async () => {
    const { id } = await submit(images(40));
    expect(await waitForEnd(edge, id)).toMatchObject({
      status: 'succeeded',
      tier: 'node',
      counts: { succeeded: 40 },
    });
    await expectAllCats(id, 40);
    expect((await collectResults(edge, id, 39))[0]).toMatchObject({ tier: 'node', model_version: '3' });
  });

  it.each<[Fault, string]>([
    // workerd's local network says 500 where a deployed Worker's fetch throws.
    ['down', 'tier_status_500'],
    ['silent', 'tier_timeout'],
    ['status-500', 'tier_status_500'],
    ['busy', 'tier_busy'],
    ['garbage', 'tier_garbage'],
    ['wrong-secret', 'tier_unauthorized'],
    ['dies', 'tier_died'],
  ])('outlives a tier that is %s: nothing lost, nothing twice', async (fault, trouble) => {
    proxy.fault = fault;
    const { id } = await submit(images(34));
    const held = await waitForEnd(
      edge,
      id,
      (batch) => batch.trouble === trouble || !['starting', 'processing'].includes(batch.status),
    );
    expect(held).toMatchObject({ status: 'processing', trouble });
    proxy.fault = 'none';
    expect(await waitForEnd(edge, id)).toMatchObject({
      status: 'succeeded',
      counts: { total: 34, succeeded: 34, failed: 0, pending: 0 },
      trouble: null,
    });
    await expectAllCats(id, 34);
  });

  it('outlives a tier that is killed in the middle of it and started anew', async () => {
    const { id } = await submit(images(256));
    const before = await waitForEnd(edge, id, ({ counts }) => counts.succeeded > 0);
    expect(before.status).toBe('processing');
    tier.child.kill('SIGKILL');
    tier = await startTier();
    proxy.target = tier.url;
    const held = await getBatch(edge, id);
    expect(held.status).toBe('processing');
    expect(await waitForEnd(edge, id)).toMatchObject({
      status: 'succeeded',
      counts: { total: 256, succeeded: 256, failed: 0, pending: 0 },
    });
    await expectAllCats(id, 256);
  });

  it('gives up an image on which the tier always dies, and no other', async () => {
    proxy.fault = 'dies-of-poison';
    const inputs: object[] = images(40);
    inputs[11] = { image: Buffer.concat([cat, Buffer.from(poison)]).toString('base64') };
    const { id } = await submit(inputs);
    expect(await waitForEnd(edge, id)).toMatchObject({
      status: 'partial',
      counts: { total: 40, succeeded: 39, failed: 1 },
    });
    const rows = await collectResults(edge, id);
    expect(rows[11]!.problem).toMatchObject({ code: 'batch_tier_unavailable' });
  });

  it('fails one corrupt image among 100 and no other', async () => {
    const inputs: object[] = images(100);
    inputs[57] = { image: Buffer.from(cat.subarray(0, 2000)).toString('base64') };
    const { id } = await submit(inputs);
    expect(await waitForEnd(edge, id)).toMatchObject({
      status: 'partial',
      counts: { total: 100, succeeded: 99, failed: 1, pending: 0 },
    });
    const rows = await collectResults(edge, id);
    expect(rows.flatMap(({ problem }, index) => (problem ? [[index, problem.code]] : []))).toEqual([
      [57, 'image_truncated'],
    ]);
  });

  it('counts a chunk once that is delivered again, and asks the tier once', async () => {
    const { id } = await submit(images(33));
    const later = await submit(images(1));
    for (const batch of [id, later.id]) await waitForEnd(edge, batch);
    const before = proxy.requests;
    const message = { batch_id: id, chunk: 0 };
    await edge.env.BATCH_CHUNKS.sendBatch([{ body: message }, { body: message }]);
    // Twice a chunk that comes after them, of which the results are there: the tier is not asked for it. The
    // second one does not share a batch of the queue with them.
    for (let round = 0; round < 2; round++) {
      await forget(later.id);
      await edge.env.BATCH_CHUNKS.sendBatch([{ body: { batch_id: later.id, chunk: 0 } }]);
      await waitForEnd(edge, later.id);
    }
    expect(proxy.requests).toBe(before);
    expect(await getBatch(edge, id)).toMatchObject({
      status: 'succeeded',
      counts: { succeeded: 33, failed: 0 },
    });
  });

  it('goes on where a consumer was killed between storing results and counting them', async () => {
    const { id } = await submit(images(3));
    await waitForEnd(edge, id);
    // What such a consumer leaves: the results object, and a database that does not know of it.
    await forget(id);
    expect(await getBatch(edge, id)).toMatchObject({ status: 'processing', counts: { succeeded: 0 } });
    const before = proxy.requests;
    await edge.env.BATCH_CHUNKS.sendBatch([{ body: { batch_id: id, chunk: 0 } }]);
    expect(await waitForEnd(edge, id)).toMatchObject({
      status: 'succeeded',
      counts: { total: 3, succeeded: 3 },
    });
    expect(proxy.requests).toBe(before);
  });

  it('sends again what the queue has lost, when the clock strikes', async () => {
    const { id } = await submit(images(3));
    await waitForEnd(edge, id);
    // As after a restart that lost the message: nothing stored, nothing counted, nothing on its way.
    await edge.env.BATCHES.delete(`batches/${id}/results/0`);
    await forget(id);
    await edge.scheduled();
    expect(await waitForEnd(edge, id)).toMatchObject({ status: 'succeeded', counts: { succeeded: 3 } });
    await expectAllCats(id, 3);
  });

  /** Takes the batch back to before its counts were known. */
  async function forget(id: string): Promise<void> {
    const run = (sql: string) => edge.env.BATCHES_DB.prepare(sql).bind(id).run();
    await run('UPDATE batch_chunks SET succeeded = 0, sent_at = NULL WHERE batch_id = ?1');
    await run("UPDATE batches SET status = 'processing', finished_at = NULL, progress_at = 1 WHERE id = ?1");
  }

  it('tries an image again whose server fails for a while, and fails one that is not there', async () => {
    outside.statuses = [503, 503, 200];
    const { id } = await submit([{ url: `${outside.url}/image` }]);
    expect(await waitForEnd(edge, id)).toMatchObject({ status: 'succeeded' });
    await expectAllCats(id, 1);
    outside.statuses = [404];
    const gone = await submit([{ url: `${outside.url}/image` }, { r2_key: 'nothing' }]);
    expect(await waitForEnd(edge, gone.id)).toMatchObject({ status: 'failed', counts: { failed: 2 } });
  });
});

describe('the webhook of a batch', () => {
  const eventsOf = (id: string) => outside.events.filter(({ body }) => body.includes(id));
  async function waitForState(id: string, state: string) {
    const deadline = Date.now() + 100_000;
    for (;;) {
      const { deliveries } = (await (await edge.fetch(`/v1/batches/${id}/deliveries`)).json()) as {
        deliveries: { state: string; url: string; log: { status: number }[] }[];
      };
      if (deliveries[0]?.state === state) return deliveries;
      if (Date.now() > deadline) throw new Error(JSON.stringify(deliveries));
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  it('is signed, retried while its endpoint is down, and logged', async () => {
    outside.statuses = [503, 500, 204];
    const { id } = await submit(images(1), { webhook_url: `${outside.url}/hook` });
    const deliveries = await waitForState(id, 'delivered');
    expect(deliveries).toHaveLength(1);
    expect(deliveries[0]!.log.map(({ status }) => status)).toEqual([503, 500, 204]);
    const events = eventsOf(id);
    expect(events).toHaveLength(3);
    // One event has one id, however often it is sent.
    expect(new Set(events.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    for (const { headers, body } of events) {
      expect(new Webhook(webhookSecret).verify(body, headers)).toMatchObject({
        type: 'batch.succeeded',
        data: {
          id,
          counts: { succeeded: 1 },
          results: [{ index: 0, predictions: [{ label: 'Egyptian cat' }] }],
        },
      });
    }
  });

  it('is disabled by 410, also for batches after it', async () => {
    outside.statuses = [410];
    const url = `${outside.url}/gone`;
    const first = await submit(images(1), { webhook_url: url });
    await waitForState(first.id, 'disabled');
    const second = await submit(images(1), { webhook_url: url });
    await waitForState(second.id, 'disabled');
    expect(eventsOf(first.id)).toHaveLength(1);
    expect(eventsOf(second.id)).toHaveLength(0);
  });
});
