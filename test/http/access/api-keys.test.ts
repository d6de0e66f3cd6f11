import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { matchApiKey, parseApiKeys } from '../../../src/http/access/api-keys.ts';

const hash = (key: string) => createHash('sha256').update(key).digest('hex');
const row = { id: 'web', sha256: hash('key'), scopes: ['classify'] };
const parse = (...rows: unknown[]) => parseApiKeys(JSON.stringify(rows));

describe('parseApiKeys', () => {
  it('takes rows, with or without an end', () => {
    const end = '2026-01-01T00:00:00+01:00';
    expect(parse(row, { ...row, id: 'A_b-9', scopes: ['batch', 'admin'], expires_at: end })).toEqual([
      { id: 'web', sha256: hash('key'), scopes: ['classify'], expiresAt: undefined },
      { id: 'A_b-9', sha256: hash('key'), scopes: ['batch', 'admin'], expiresAt: Date.parse(end) },
    ]);
    expect(parse()).toEqual([]);
  });

  it.each<[string, object]>([
    ['[0].id', { id: '' }],
    ['[0].id', { id: 'a'.repeat(65) }],
    ['[0].id', { id: 'a b' }],
    ['[0].id', { id: 'a/' }],
    ['[0].sha256', { sha256: hash('key').toUpperCase() }],
    ['[0].sha256', { sha256: hash('key').slice(1) }],
    ['[0].sha256', { sha256: `${hash('key')}0` }],
    ['[0].scopes', { scopes: [] }],
    ['[0].scopes[0]', { scopes: ['everything'] }],
    ['[0].expires_at', { expires_at: 'tomorrow' }],
    ['[0]', { surprise: 1 }],
  ])('refuses a row that is wrong at %s, and shows no hash', (where, change) => {
    expect(() => parse({ ...row, ...change })).toThrow(
      expect.objectContaining({
        code: 'configuration_invalid',
        message: `The secret API_KEYS is not valid at "${where}".`,
      }),
    );
  });

  it('takes an id of 64 characters, and no more than 1000 rows', () => {
    expect(parse({ ...row, id: 'a'.repeat(64) })).toHaveLength(1);
    expect(parse(...Array(1000).fill(row))).toHaveLength(1000);
    expect(() => parse(...Array(1001).fill(row))).toThrow('must be a JSON array');
  });

  it.each([
    ['{"id": "web"}', 'must be a JSON array of rows'],
    ['[', 'is not JSON'],
  ])('refuses %s', (json, message) => {
    expect(() => parseApiKeys(json)).toThrow(
      expect.objectContaining({
        code: 'configuration_invalid',
        message: expect.stringContaining(`API_KEYS ${message}`),
      }),
    );
  });
});

describe('matchApiKey', () => {
  const now = 1_000_000;
  const keys = [
    { id: 'web', sha256: hash('old'), scopes: ['classify'], expiresAt: undefined },
    { id: 'web', sha256: hash('new'), scopes: ['batch'], expiresAt: now + 1 },
    { id: 'gone', sha256: hash('gone'), scopes: ['admin'], expiresAt: now },
  ] as const;

  it('finds whose key it is, until the moment at which it ends', async () => {
    expect(await matchApiKey(keys, 'old', now)).toEqual({ id: 'web', kind: 'key', scopes: ['classify'] });
    expect(await matchApiKey(keys, 'new', now)).toEqual({ id: 'web', kind: 'key', scopes: ['batch'] });
    expect(await matchApiKey(keys, 'new', now + 1)).toBeUndefined();
    expect(await matchApiKey(keys, 'gone', now)).toBeUndefined();
  });

  it('knows no other key, nor a hash in a key’s place', async () => {
    for (const presented of ['', 'old ', hash('old')])
      expect(await matchApiKey(keys, presented, now)).toBeUndefined();
  });
});
