import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createUploadToken, verifyUploadToken } from '../../../src/http/access/upload-token.ts';

const secret = 'a secret of at least 32 characters';
const now = Date.parse('2026-05-01T12:00:00.999Z');
beforeEach(() => {
  vi.useFakeTimers({ now, toFake: ['Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** RFC 7519 with Node's own HMAC. */
function signJwt(claims: object, { key = secret, alg = 'HS256' } = {}): string {
  const content = `${encode({ alg, typ: 'JWT' })}.${encode(claims)}`;
  return `rut_${content}.${createHmac('sha256', key).update(content).digest('base64url')}`;
}
const claims = { sub: 'web', aud: 'resnet-edge/upload', exp: Math.floor(now / 1000) + 60 };
const refusal = (message: string) => ({
  code: 'credential_invalid',
  message: expect.stringContaining(message),
});

describe('createUploadToken', () => {
  it('makes a JSON Web Token that any library can verify, which ends after whole seconds', async () => {
    const { token, expiresAt } = await createUploadToken(
      secret,
      { keyId: 'web', expiresInSeconds: 60, origin: 'https://shop.example' },
      now,
    );
    expect(expiresAt).toBe(Date.parse('2026-05-01T12:01:00Z'));
    expect(token).toMatch(/^rut_/);
    const [head, body, signature] = token.slice(4).split('.');
    expect(signature).toBe(createHmac('sha256', secret).update(`${head}.${body}`).digest('base64url'));
    expect(JSON.parse(Buffer.from(head!, 'base64url').toString())).toMatchObject({ alg: 'HS256' });
    expect(JSON.parse(Buffer.from(body!, 'base64url').toString())).toEqual({
      ...claims,
      iat: Math.floor(now / 1000),
      origin: 'https://shop.example',
    });
  });

  it('is bound to no page where none is named', async () => {
    const { token } = await createUploadToken(secret, { keyId: 'web', expiresInSeconds: 60 }, now);
    expect(Buffer.from(token.split('.')[1]!, 'base64url').toString()).not.toContain('origin');
  });
});

describe('verifyUploadToken', () => {
  it('takes a token of ours on behalf of its key, to classify', async () => {
    const principal = { id: 'web', kind: 'token', scopes: ['classify'] };
    expect(await verifyUploadToken(secret, signJwt(claims), undefined)).toEqual(principal);
    expect(await verifyUploadToken(secret, signJwt(claims), 'https://any.example')).toEqual(principal);
    const bound = signJwt({ ...claims, origin: 'https://shop.example' });
    expect(await verifyUploadToken(secret, bound, 'https://shop.example')).toEqual(principal);
    for (const origin of [undefined, 'https://evil.example'])
      await expect(verifyUploadToken(secret, bound, origin)).rejects.toMatchObject(refusal('another origin'));
  });

  it('refuses it once it has ended, by a clock that may be 30 s behind', async () => {
    vi.setSystemTime((claims.exp + 29) * 1000);
    await expect(verifyUploadToken(secret, signJwt(claims), undefined)).resolves.toHaveProperty('id', 'web');
    vi.setSystemTime((claims.exp + 30) * 1000);
    await expect(verifyUploadToken(secret, signJwt(claims), undefined)).rejects.toMatchObject(
      refusal('not valid or has expired'),
    );
  });

  it('takes one of a machine whose clock is ahead', async () => {
    const { token } = await createUploadToken(secret, { keyId: 'web', expiresInSeconds: 60 }, now + 20_000);
    expect(await verifyUploadToken(secret, token, undefined)).toMatchObject({ id: 'web' });
  });

  it.each([
    ['signed with another secret', signJwt(claims, { key: 'another' })],
    ['without a signature', `rut_${encode({ alg: 'none' })}.${encode(claims)}.`],
    ['of another algorithm', signJwt(claims, { alg: 'HS384' })],
    ['for somebody else', signJwt({ ...claims, aud: 'elsewhere' })],
    ['for nobody', signJwt({ sub: claims.sub, exp: claims.exp })],
    ['that never ends', signJwt({ sub: claims.sub, aud: claims.aud })],
    ['of no key', signJwt({ ...claims, sub: '' })],
    ['of a key that cannot be', signJwt({ ...claims, sub: 'a'.repeat(65) })],
    ['that is none', 'rut_x'],
  ])('refuses one %s', async (_, token) => {
    await expect(verifyUploadToken(secret, token, undefined)).rejects.toMatchObject(
      refusal('not valid or has expired'),
    );
  });

  it('takes a key’s id of 64 characters', async () => {
    const token = signJwt({ ...claims, sub: 'a'.repeat(64) });
    expect((await verifyUploadToken(secret, token, undefined)).id).toHaveLength(64);
  });
});
