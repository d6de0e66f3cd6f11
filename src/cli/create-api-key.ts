import { randomBytes } from 'node:crypto';
import { digestHex } from '../lib/digest.ts';

/** A row of the secret API_KEYS: the key's hash, never the key. */
export interface ApiKeyRow {
  readonly id: string;
  readonly sha256: string;
  readonly scopes: readonly string[];
  readonly expires_at?: string;
}

/** @returns a new key with 256 random bits. Nobody can guess it, so its plain SHA-256 is safe to store. */
export async function createApiKey(
  id: string,
  scopes: readonly string[],
  expiresAt?: string,
): Promise<{ readonly key: string; readonly row: ApiKeyRow }> {
  const key = `re_${randomBytes(32).toString('base64url')}`;
  const row = {
    id,
    sha256: await digestHex(key),
    scopes,
    ...(expiresAt === undefined ? {} : { expires_at: expiresAt }),
  };
  return { key, row };
}
