import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { maxWebhookBytes } from '../../src/limits.ts';
import { goldenPath, photoFiles } from '../golden/golden.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';

const secret = `whsec_${Buffer.from('0123456789abcdefghijklmnopqrstuv').toString('base64')}`;
const callbacks: { headers: Record<string, string>; body: string }[] = [];
/** Pictures are held back until this is resolved. */
const pictures = Promise.withResolvers<void>();
let server: Server;
let origin: string;
let edge: EdgeServer;
beforeAll(async () => {
  const cat = await readFile(goldenPath(photoFiles.cat));
  server = createServer(async (request, answer) => {
    if (request.url === '/cat.jpg') {
      await pictures.promise;
      return answer.end(cat);
    }
    let body = '';
    for await (const chunk of request) body += chunk;
    callbacks.push({ headers: request.headers as Record<string, string>, body });
    return answer.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  edge = await startEdge({
    vars: {
      IMAGE_URL_ALLOW: origin,
      WEBHOOK_URL_ALLOW: origin,
      WEBHOOK_SECRETS: secret,
      SHOP_SECRET: secret,
      GIT_SECRET: 'text',
      WEBHOOK_SOURCES: JSON.stringify([
        {
          name: 'shop',
          kind: 'standard',
          secrets: ['SHOP_SECRET'],
          image_url: '/data/picture/url',
          top_k: 1,
          callback_url: `${origin}/callback`,
        },
        { name: 'git', kind: 'github', secrets: ['GIT_SECRET'], image_url: '/url' },
      ]),
    },
  });
});
afterAll(async () => {
  await edge?.stop();
  server?.close();
});

const post = (source: string, body: string, headers: HeadersInit) =>
  edge.fetch(`/v1/webhooks/${source}`, { method: 'POST', headers, body });

it('an event is answered at once, its picture classified, the result sent to the callback, a replay ignored', async () => {
  const body = JSON.stringify({ type: 'picture.added', data: { picture: { url: `${origin}/cat.jpg` } } });
  const headers = {
    'webhook-id': 'evt_1',
    'webhook-timestamp': String(Math.floor(Date.now() / 1000)),
    'webhook-signature': new Webhook(secret).sign('evt_1', new Date(), body),
  };
  const response = await post('shop', body, headers);
  expect(response.status).toBe(202);
  expect(callbacks).toEqual([]);
  pictures.resolve();
  const accepted = (await response.json()) as { batch_id: string };
  expect(accepted).toMatchObject({ event_id: 'evt_1', replayed: false });
  const replay = await post('shop', body, headers);
  expect(await replay.json()).toMatchObject({ batch_id: accepted.batch_id, replayed: true });
  // Nobody has signed the query: it changes nothing.
  const changed = await post('shop?metadata={}&webhook_url=https://evil.example', body, headers);
  expect(await changed.json()).toMatchObject({ batch_id: accepted.batch_id, replayed: true });

  await expect.poll(() => callbacks.length).toBeGreaterThan(0);
  const [callback] = callbacks;
  expect(new Webhook(secret).verify(callback!.body, callback!.headers)).toMatchObject({
    type: 'batch.succeeded',
    data: {
      id: accepted.batch_id,
      metadata: { source: 'shop', event_id: 'evt_1' },
      results: [{ predictions: [{ label: 'Egyptian cat' }] }],
    },
  });
  expect(callbacks).toHaveLength(1);
});

it('a GitHub-style event is taken by its signature alone', async () => {
  const body = JSON.stringify({ url: `${origin}/cat.jpg` });
  const signature = `sha256=${createHmac('sha256', 'text').update(body).digest('hex')}`;
  expect((await post('git', body, { 'x-hub-signature-256': signature })).status).toBe(202);
  const wrong = await post('git', `${body} `, { 'x-hub-signature-256': signature });
  expect(wrong.status).toBe(401);
  expect(await wrong.json()).toMatchObject({ code: 'webhook_signature_invalid' });
});

it('an unknown source is 404, a verified event without a URL 422', async () => {
  expect((await post('none', '{}', {})).status).toBe(404);
  const signature = `sha256=${createHmac('sha256', 'text').update('{}').digest('hex')}`;
  const response = await post('git', '{}', { 'x-hub-signature-256': signature });
  expect(response.status).toBe(422);
  expect(await response.json()).toMatchObject({ code: 'webhook_event_unusable' });
});

it.each([
  ['shop', {}],
  ['shop', { 'webhook-id': 'a', 'webhook-timestamp': '1', 'webhook-signature': 'v1,AAAA' }],
  ['git', { 'x-hub-signature-256': 'sha256=00' }],
])(
  'an event of %s without headers that could be right is refused before its body is looked at',
  async (source, headers) => {
    const response = await post(source, ' '.repeat(maxWebhookBytes + 1), headers as HeadersInit);
    expect(await response.json()).toMatchObject({ status: 401, code: 'webhook_signature_invalid' });
  },
);
