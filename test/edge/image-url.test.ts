import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { maxBodyBytes } from '../../src/limits.ts';
import { goldenPath } from '../golden/golden.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';

let edge: EdgeServer;
let images: Server;
let origin: string;
const seen: (string | undefined)[] = [];

/**
 * wrangler's harness lets Node fetch for the Worker, and forgets that the Worker asked for `redirect: manual`;
 * workerd itself does not. So that each hop comes back to the Worker, Node is told once more.
 */
const fetchOfNode = globalThis.fetch;
const fetchManually: typeof fetch = (input, init) =>
  fetchOfNode(new Request(input, init), { redirect: 'manual' });

beforeAll(async () => {
  globalThis.fetch = fetchManually;
  const photo = await readFile(goldenPath('cat.jpg'));
  images = createServer((request, response) => {
    seen.push(request.headers['authorization']);
    const redirect = (location: string) => response.writeHead(302, { location }).end();
    const [, kind, rest] = request.url!.split('/');
    if (kind === 'cat.jpg') response.end(photo);
    else if (kind === 'hop') redirect(Number(rest) > 0 ? `/hop/${Number(rest) - 1}` : '/cat.jpg');
    else if (kind === 'inside') redirect('http://127.0.0.1:1/secret');
    else if (kind === 'metadata') redirect('https://169.254.169.254/latest/meta-data');
    else if (kind === 'huge') {
      const chunk = Buffer.alloc(1 << 20);
      const pump = () => {
        while (!response.destroyed && response.write(chunk));
        response.once('drain', pump);
      };
      pump();
    } else if (kind === 'slow') response.write('x');
    else if (kind === 'empty') response.end();
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => images.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(images.address() as AddressInfo).port}`;
  edge = await startEdge({ vars: { IMAGE_URL_ALLOW: origin } });
});
afterAll(async () => {
  globalThis.fetch = fetchOfNode;
  await edge?.stop();
  images?.closeAllConnections();
  images?.close();
});

async function ask(url: string) {
  const response = await edge.fetch('/v1/classify', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ url, top_k: 1 }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

describe('an image by URL', () => {
  it('is fetched and classified, through as many as five redirects, without the caller’s credentials', async () => {
    for (const path of ['/cat.jpg', '/hop/4'])
      expect(await ask(origin + path)).toMatchObject({
        status: 200,
        body: { predictions: [{ label: 'Egyptian cat' }] },
      });
    expect(seen.every((authorization) => authorization === undefined)).toBe(true);
  });

  it('works with GET, which knows 304', async () => {
    const path = `/v1/classify?top_k=1&url=${encodeURIComponent(`${origin}/cat.jpg`)}`;
    const first = await edge.fetch(path);
    expect(first.status).toBe(200);
    const again = await edge.fetch(path, { headers: { 'if-none-match': first.headers.get('etag')! } });
    expect(again.status).toBe(304);
  });

  it.each([
    ['/hop/5', 422, 'url_unreachable'],
    ['/inside', 403, 'url_forbidden'],
    ['/metadata', 403, 'url_forbidden'],
    ['/missing', 422, 'url_unreachable'],
    ['/empty', 422, 'url_unreachable'],
    ['/huge', 413, 'url_too_large'],
    ['/slow', 422, 'url_unreachable'],
  ])('%s is refused: %i %s', async (path, status, code) => {
    expect(maxBodyBytes).toBeLessThan(1 << 26);
    expect(await ask(origin + path)).toMatchObject({ status, body: { code } });
  });

  it('is refused outside the list, and so is a key of a bucket that is not bound', async () => {
    expect(await ask('https://example.com/cat.jpg')).toMatchObject({
      status: 403,
      body: { code: 'url_forbidden' },
    });
    const response = await edge.fetch('/v1/classify?r2_key=cat.jpg');
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ code: 'r2_not_configured' });
  });

  it('must be one image, in one place', async () => {
    for (const body of [{}, { url: origin, image: 'aGk=' }, { url: origin, r2_key: 'x' }]) {
      const response = await edge.fetch('/v1/classify', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      expect(await response.json()).toMatchObject({ status: 400, code: 'json_invalid' });
    }
    expect(await (await edge.fetch('/v1/classify')).json()).toMatchObject({ code: 'option_invalid' });
  });
});
