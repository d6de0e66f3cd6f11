import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AccessPolicy, type AccessSettings } from '../../../src/http/access/access-policy.ts';
import type { Principal } from '../../../src/http/access/api-keys.ts';

const now = Date.parse('2026-05-01T12:00:00Z');
const sha256 = createHash('sha256').update('key').digest('hex');
const apiKeys = [{ id: 'web', sha256, scopes: ['classify'], expiresAt: now + 1000 }] as const;
const uploadTokenSecret = 'a secret of at least 32 characters';
const everyone: AccessSettings = { apiKeys: [], publicScopes: ['classify'] };
const withKeys: AccessSettings = { apiKeys, publicScopes: [], uploadTokenSecret };

beforeEach(() => {
  vi.useFakeTimers({ now, toFake: ['Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('AccessPolicy', () => {
  it('serves nobody until it is told whom to serve', async () => {
    const none = new AccessPolicy({ apiKeys: [], publicScopes: [] });
    const refusal = { code: 'access_not_configured', message: expect.stringContaining('API_KEYS') };
    expect(() => none.assertConfigured()).toThrow(expect.objectContaining(refusal));
    await expect(none.authenticate('key', undefined)).rejects.toMatchObject(refusal);
    for (const settings of [everyone, withKeys])
      expect(() => new AccessPolicy(settings).assertConfigured()).not.toThrow();
  });

  it('takes a request without a credential for anyone’s, and a key for its holder’s until it ends', async () => {
    const policy = new AccessPolicy(withKeys);
    const anyone = { id: 'public', kind: 'public', scopes: [] };
    expect(await policy.authenticate(undefined, undefined)).toEqual(anyone);
    expect(await policy.authenticate('key', undefined)).toMatchObject({ id: 'web', kind: 'key' });
    await expect(policy.authenticate('guess', undefined)).rejects.toMatchObject({
      code: 'credential_invalid',
      message: expect.stringContaining('not known here'),
    });
    vi.setSystemTime(now + 1000);
    await expect(policy.authenticate('key', undefined)).rejects.toMatchObject({ code: 'credential_invalid' });
  });

  it('ignores credentials where there are no keys: other services’ clients always send one', async () => {
    const policy = new AccessPolicy(everyone);
    for (const credential of ['guess', 'rut_guess'])
      expect(await policy.authenticate(credential, undefined)).toEqual({
        id: 'public',
        kind: 'public',
        scopes: ['classify'],
      });
  });

  it('says what is missing: a key, or a scope of the key', () => {
    const policy = new AccessPolicy(everyone);
    const key: Principal = { id: 'web', kind: 'key', scopes: ['batch'] };
    expect(() => policy.assertScope(key, 'batch')).not.toThrow();
    expect(() => policy.assertScope(key, 'admin')).toThrow(
      expect.objectContaining({
        code: 'scope_missing',
        message: 'This needs the scope "admin", which "web" lacks.',
      }),
    );
    expect(() => policy.assertScope({ ...key, kind: 'public' }, 'admin')).toThrow(
      expect.objectContaining({
        code: 'credential_missing',
        message: expect.stringContaining('Authorization'),
      }),
    );
  });

  it('gives a key’s holder a token for a page, which makes no further tokens', async () => {
    const policy = new AccessPolicy(withKeys);
    const holder = await policy.authenticate('key', undefined);
    const { token, expiresAt } = await policy.issueUploadToken(holder, 60, 'https://shop.example');
    expect(expiresAt).toBe(now + 60_000);
    const bearer = await policy.authenticate(token, 'https://shop.example');
    expect(bearer).toEqual({ id: 'web', kind: 'token', scopes: ['classify'] });
    await expect(policy.authenticate(token, undefined)).rejects.toMatchObject({ code: 'credential_invalid' });
    await expect(policy.issueUploadToken(bearer, 60, undefined)).rejects.toMatchObject({
      code: 'scope_missing',
      message: expect.stringContaining('cannot make another'),
    });
  });

  it('makes and knows no tokens without a secret', async () => {
    const policy = new AccessPolicy({ apiKeys, publicScopes: [] });
    const holder = await policy.authenticate('key', undefined);
    await expect(policy.issueUploadToken(holder, 60, undefined)).rejects.toMatchObject({
      code: 'upload_tokens_not_configured',
      message: expect.stringContaining('UPLOAD_TOKEN_SECRET'),
    });
    await expect(policy.authenticate('rut_x', undefined)).rejects.toMatchObject({
      message: expect.stringContaining('API key'),
    });
  });
});
