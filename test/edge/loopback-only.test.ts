import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EdgeServer, startEdge } from './edge-server.ts';

let edge: EdgeServer;
beforeAll(async () => {
  edge = await startEdge({ vars: { LOOPBACK_ONLY: 'on', CORS_ORIGINS: 'loopback' } });
}, 60_000);
afterAll(() => edge?.stop());

/** Node's `fetch` does not let one choose the Host. */
function ask(method: string, headers: Record<string, string>): Promise<{ status: number; code: string }> {
  const { hostname, port } = new URL(edge.url);
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        hostname,
        port,
        method,
        path: method === 'GET' ? '/v1/models' : '/v1/classify',
        headers,
        timeout: 30_000,
      },
      async (response) => {
        let text = '';
        for await (const chunk of response) text += chunk;
        resolve({
          status: response.statusCode ?? 0,
          code: text === '' ? '' : (JSON.parse(text).code ?? 'ok'),
        });
      },
    );
    sent.on('error', reject);
    sent.end(method === 'GET' ? undefined : 'no picture');
  });
}

describe('a service for its own machine', () => {
  it.each(['127.0.0.1:8787', 'localhost', 'localhost:1234', '[::1]:8787'])('answers to %s', async (host) => {
    expect((await ask('GET', { host })).status).toBe(200);
  });

  it.each(['evil.example', '127.0.0.1.evil.example:8787', '192.168.1.5:8787', 'localhost.evil.example'])(
    'refuses %s: a name may be made to point here',
    async (host) => {
      expect(await ask('GET', { host })).toEqual({ status: 403, code: 'host_forbidden' });
    },
  );

  it('takes nothing that a page of another host sends', async () => {
    const form = { 'content-type': 'multipart/form-data; boundary=b' };
    for (const origin of ['https://evil.example', 'null'])
      expect(await ask('POST', { ...form, origin })).toEqual({ status: 403, code: 'host_forbidden' });
    expect((await ask('POST', { origin: 'http://localhost:5173' })).code).toBe('image_format_unknown');
    expect((await ask('POST', {})).code).toBe('image_format_unknown');
  });
});

it('a variable that is set to nothing is an error, and no number', async () => {
  const broken = await startEdge({ vars: { RATE_LIMIT_REQUESTS: '' }, seed: false });
  try {
    const response = await broken.fetch('/v1/models');
    expect(await response.json()).toMatchObject({
      code: 'configuration_invalid',
      detail: expect.stringContaining('RATE_LIMIT_REQUESTS'),
    });
  } finally {
    await broken.stop();
  }
}, 60_000);
