import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { goldenPath } from '../golden/golden.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';

const photo = new Uint8Array(await readFile(goldenPath('cat.jpg')));
const hash = (key: string) => createHash('sha256').update(key).digest('hex');
const apiKeys = JSON.stringify([
  { id: 'web', sha256: hash('old key'), scopes: ['classify'] },
  { id: 'web', sha256: hash('new key'), scopes: ['classify'] },
  { id: 'gone', sha256: hash('expired key'), scopes: ['classify'], expires_at: '2020-01-01T00:00:00Z' },
  { id: 'ops', sha256: hash('ops key'), scopes: ['admin'] },
]);

async function expectCode(response: Response, status: number, code: string): Promise<void> {
  expect(await response.json()).toMatchObject({ status, code });
  expect(response.status).toBe(status);
}

describe('a deployment with API keys', () => {
  let edge: EdgeServer;
  beforeAll(async () => {
    edge = await startEdge({
      vars: { PUBLIC_SCOPES: '', CORS_ORIGINS: 'https://shop.example' },
      secrets: { API_KEYS: apiKeys, UPLOAD_TOKEN_SECRET: 'a secret of at least 32 characters' },
    });
  });
  afterAll(() => edge?.stop());
  const classify = (headers: Record<string, string> = {}) =>
    edge.fetch('/v1/classify?top_k=1', { method: 'POST', body: photo, headers });
  const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

  it('takes each valid key, the old one and the new one, in either header', async () => {
    for (const headers of [bearer('old key'), bearer('new key'), { 'x-api-key': 'new key' }])
      expect((await classify(headers)).status).toBe(200);
  });
  it('refuses a key in an Authorization header of another scheme, or of none', async () => {
    for (const authorization of ['new key', 'Basic new key', 'Bearer', 'bearernew key'])
      await expectCode(await classify({ authorization }), 401, 'credential_invalid');
  });
  it('refuses no key, a wrong one, an expired one, and one without the scope', async () => {
    await expectCode(await classify(), 401, 'credential_missing');
    await expectCode(await classify(bearer('guess')), 401, 'credential_invalid');
    await expectCode(await classify(bearer('expired key')), 401, 'credential_invalid');
    await expectCode(await classify(bearer('k'.repeat(5000))), 401, 'credential_invalid');
    await expectCode(await classify(bearer('ops key')), 403, 'scope_missing');
    await expectCode(await edge.fetch('/metrics', { headers: bearer('old key') }), 403, 'scope_missing');
    for (const path of ['/v1/models', '/v2/models/resnet18-imagenet1k', '/metrics'])
      await expectCode(await edge.fetch(path), 401, 'credential_missing');
  });
  it('shows health, the document and the page to everybody', async () => {
    for (const path of [
      '/v1/health/live',
      '/v1/health/ready',
      '/v2/health/live',
      '/openapi.json',
      '/docs',
      '/',
    ])
      expect((await edge.fetch(path)).status, path).toBe(200);
  });
  it('gives out upload tokens that classify for a while, from one page, and do nothing else', async () => {
    const issue = (body: object, key = 'new key') =>
      edge.fetch('/v1/upload-tokens', {
        method: 'POST',
        headers: { ...bearer(key), 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const before = Date.now();
    const issued = await issue({ expires_in_seconds: 60, origin: 'https://shop.example' });
    const after = Date.now();
    expect(issued.status).toBe(201);
    const { token, expires_at } = (await issued.json()) as { token: string; expires_at: string };
    expect(Date.parse(expires_at)).toBeGreaterThan(before + 59_000);
    expect(Date.parse(expires_at)).toBeLessThan(after + 61_000);
    const page = { ...bearer(token), origin: 'https://shop.example' };
    expect((await classify(page)).status).toBe(200);
    await expectCode(await classify(bearer(token)), 401, 'credential_invalid');
    await expectCode(await classify({ ...page, origin: 'https://evil.example' }), 401, 'credential_invalid');
    const forged = `${token.slice(0, -4)}AAAA`;
    await expectCode(await classify({ ...page, ...bearer(forged) }), 401, 'credential_invalid');
    await expectCode(await edge.fetch('/metrics', { headers: page }), 403, 'scope_missing');
    const another = await edge.fetch('/v1/upload-tokens', {
      method: 'POST',
      headers: { ...page, 'content-type': 'application/json' },
      body: '{}',
    });
    await expectCode(another, 403, 'scope_missing');
    await expectCode(await issue({ expires_in_seconds: 86_400 }), 400, 'json_invalid');
    const { token: brief } = (await (await issue({ expires_in_seconds: 5 })).json()) as { token: string };
    await expect.poll(async () => (await classify(bearer(brief))).status, { interval: 500 }).toBe(401);
    await expectCode(await classify(bearer(brief)), 401, 'credential_invalid');
  });
  it('answers the pages of configured origins, and only those', async () => {
    const preflight = (origin: string, path = '/v1/classify') =>
      edge.fetch(path, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization,idempotency-key',
        },
      });
    const allowed = await preflight('https://shop.example');
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://shop.example');
    expect(allowed.headers.get('access-control-allow-headers')).toContain('authorization');
    expect(allowed.headers.get('access-control-allow-headers')).toContain('idempotency-key');
    for (const path of [
      '/v1/batches',
      '/models/microsoft/resnet-50',
      '/ai/run/@cf/microsoft/resnet-50',
      '/client/v4/accounts/a/ai/run/@cf/microsoft/resnet-50',
      '/v2/models/resnet18-imagenet1k/infer',
    ]) {
      const dialect = await preflight('https://shop.example', path);
      expect([dialect.status, dialect.headers.get('access-control-allow-origin')], path).toEqual([
        204,
        'https://shop.example',
      ]);
    }
    expect((await preflight('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
    const answer = await classify({ ...bearer('new key'), origin: 'https://shop.example' });
    expect(answer.headers.get('access-control-expose-headers')).toMatch(/server-timing.*location/);
    // An error is an answer, too: a page must be able to read why.
    const refused = await classify({ origin: 'https://shop.example' });
    expect(refused.headers.get('www-authenticate')).toBe('Bearer');
    expect(refused.headers.get('access-control-allow-origin')).toBe('https://shop.example');
  });
  it('sends the usual security headers', async () => {
    const { headers } = await edge.fetch('/v1/health/live');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('strict-transport-security')).toContain('max-age=');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
  });
});

describe('other deployments', () => {
  let edge: EdgeServer;
  afterEach(() => edge?.stop());

  it('that are open and have no keys ignore a token that nobody configured: official SDKs always send one', async () => {
    edge = await startEdge({ vars: { PUBLIC_SCOPES: 'classify' } });
    const headers = { authorization: 'Bearer hf_anything' };
    const answer = await edge.fetch('/v1/classify?top_k=1', { method: 'POST', body: photo, headers });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-model-version')).toBe('resnet18-imagenet1k/3');
    await expectCode(await edge.fetch('/v1/batches', { headers }), 401, 'credential_missing');
  });
  it('on a developer’s machine answer pages of every port of it, and no other page', async () => {
    edge = await startEdge({ vars: { CORS_ORIGINS: 'loopback' }, seed: false });
    const allowOrigin = async (origin: string) =>
      (await edge.fetch('/v1/health/live', { headers: { origin } })).headers.get(
        'access-control-allow-origin',
      );
    for (const origin of [
      'http://localhost:5173',
      'http://127.0.0.1:3000',
      'http://[::1]:8080',
      'https://localhost',
    ])
      expect(await allowOrigin(origin)).toBe(origin);
    for (const origin of [
      'https://localhost.evil.example',
      'http://127.0.0.1.evil.example',
      'null',
      'https://evil.example',
    ])
      expect(await allowOrigin(origin), origin).toBeNull();
  });
  it('with neither keys nor public scopes serve nobody, and say why', async () => {
    edge = await startEdge({ vars: { PUBLIC_SCOPES: '' }, seed: false });
    for (const path of ['/v1/models', '/v1/health/ready', '/v2', '/metrics']) {
      const response = await edge.fetch(path);
      const problem = (await response.json()) as { detail: string };
      expect(problem, path).toMatchObject({ status: 503, code: 'access_not_configured' });
      expect(problem.detail).toContain('API_KEYS');
      expect(problem.detail).toContain('PUBLIC_SCOPES');
    }
    expect((await edge.fetch('/v1/health/live')).status).toBe(200);
  });
  it('with a variable that is wrong name it and show no secret', async () => {
    edge = await startEdge({ secrets: { API_KEYS: '[{"id":"x","sha256":"not a hash"}]' }, seed: false });
    const text = await (await edge.fetch('/v1/models')).text();
    expect(JSON.parse(text)).toMatchObject({ status: 503, code: 'configuration_invalid' });
    expect(text).toContain('API_KEYS');
    expect(text).not.toContain('not a hash');
    await edge.stop();
    // What npm run keys prints is one row, not the list.
    edge = await startEdge({ secrets: { API_KEYS: '{"id":"x"}' }, seed: false });
    expect(await (await edge.fetch('/v1/models')).text()).toContain('a JSON array of rows');
  });
  it('are not held up by a variable of batches where they have none', async () => {
    const vars = { BATCH_RETENTION_HOURS: 'never' };
    edge = await startEdge({ vars, seed: false });
    const refused = (await (await edge.fetch('/v1/models')).json()) as { detail: string };
    expect(refused).toMatchObject({ status: 503, code: 'configuration_invalid' });
    expect(refused.detail).toContain('BATCH_RETENTION_HOURS');
    await edge.stop();
    edge = await startEdge({ configPath: './test/edge/slow-rate.wrangler.toml', vars, seed: false });
    expect((await edge.fetch('/v2')).status).toBe(200);
    await expectCode(await edge.fetch('/v1/batches'), 422, 'batch_not_configured');
  });
  it('limit a caller’s rate, and say how much and when', async () => {
    edge = await startEdge({ configPath: './test/edge/slow-rate.wrangler.toml', seed: false });
    const answers = [];
    for (let request = 0; request < 4; request++) answers.push(await edge.fetch('/v2'));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
    expect(answers[0]!.headers.get('ratelimit-policy')).toBe('"default";q=3;w=60');
    expect(answers[3]!.headers.get('ratelimit')).toBe('"default";r=0;t=60');
    expect(answers[3]!.headers.get('retry-after')).toBe('60');
    await expectCode(answers[3]!, 429, 'rate_limited');
  });
  it('limit an address that tries keys', async () => {
    edge = await startEdge({
      configPath: './test/edge/slow-rate.wrangler.toml',
      secrets: { API_KEYS: apiKeys },
      seed: false,
    });
    const attempt = (key: string) => edge.fetch('/v1/models', { headers: { 'x-api-key': key } });
    const statuses = [];
    for (let request = 0; request < 4; request++) statuses.push((await attempt(`wrong-${request}`)).status);
    expect(statuses).toEqual([401, 401, 401, 429]);
  });
});
