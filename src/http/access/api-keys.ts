import { z } from 'zod';
import { CodedError } from '../../errors.ts';
import { digestHex, equalHex } from '../../lib/digest.ts';
import { formatPath } from '../../lib/format-issue.ts';

/** What a credential may do: classify images, run batch jobs, teach classes, read metrics and the state of the service. */
export const scopes = ['classify', 'batch', 'teach', 'admin'] as const;
export type Scope = (typeof scopes)[number];

/** The id of a caller without a credential; no key may have it. */
export const anonymousId = 'public';

/** The party that a request acts for. */
export interface Principal {
  /** The key's id; `public` without a credential. Goes into logs and rate limits. */
  readonly id: string;
  readonly kind: 'key' | 'token' | 'public';
  readonly scopes: readonly Scope[];
}

/** A key as the service knows it: its hash, never the key. */
export interface ApiKey {
  readonly id: string;
  /** Lower-case hex of the whole key's SHA-256: a key has 256 random bits, so no slow hash is needed. */
  readonly sha256: string;
  readonly scopes: readonly Scope[];
  /** Milliseconds since 1970; the key ends then. */
  readonly expiresAt: number | undefined;
}

const apiKeysSchema = z
  .array(
    z.strictObject({
      id: z
        .string()
        .regex(/^[A-Za-z0-9_-]{1,64}$/)
        // The id of anonymous callers.
        .refine((id) => id !== anonymousId),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
      scopes: z.array(z.enum(scopes)).min(1),
      expires_at: z.iso.datetime({ offset: true }).optional(),
    }),
  )
  .max(1000);

/**
 * @param json the secret `API_KEYS`: `[{"id","sha256","scopes","expires_at"?}]`. Two rows may share an id:
 *   that is how a key is replaced without a gap.
 * @throws {CodedError} `configuration_invalid`, which names the row and never shows a hash.
 */
export function parseApiKeys(json: string): readonly ApiKey[] {
  let rows: unknown;
  try {
    rows = JSON.parse(json);
  } catch {
    throw new CodedError('configuration_invalid', 'The secret API_KEYS is not JSON.');
  }
  const parsed = apiKeysSchema.safeParse(rows);
  if (!parsed.success) {
    const where = formatPath(parsed.error.issues[0]?.path ?? []);
    const reason = where ? `is not valid at "${where}"` : 'must be a JSON array of rows, [{"id": ...}, ...]';
    throw new CodedError('configuration_invalid', `The secret API_KEYS ${reason}.`);
  }
  return parsed.data.map(({ id, sha256, scopes: granted, expires_at }) => ({
    id,
    sha256,
    scopes: granted,
    expiresAt: expires_at === undefined ? undefined : Date.parse(expires_at),
  }));
}

/**
 * Compares with every key in constant time, so that the time taken does not tell which key is close.
 *
 * @returns undefined if no key fits or the one that does has expired.
 */
export async function matchApiKey(
  keys: readonly ApiKey[],
  presented: string,
  now: number,
): Promise<Principal | undefined> {
  const hash = await digestHex(presented);
  let found: ApiKey | undefined;
  for (const key of keys) {
    if (equalHex(key.sha256, hash) && (key.expiresAt === undefined || now < key.expiresAt)) found = key;
  }
  return found && { id: found.id, kind: 'key', scopes: found.scopes };
}
