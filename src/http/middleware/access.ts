import type { Context, MiddlewareHandler } from 'hono';
import { CodedError, type ErrorCode } from '../../errors.ts';
import { maxCredentialLength } from '../../limits.ts';
import { anonymousId, type Scope } from '../access/api-keys.ts';
import type { HonoEnv } from '../context.ts';

/**
 * Refuses a caller without the scope, and counts the request against the caller's rate. It runs before a route's
 * handler, so that no body is read for a caller who is refused.
 */
export function needs(scope: Scope): MiddlewareHandler<HonoEnv> {
  return async (c, next) => {
    const { access } = c.get('options');
    const principal = await countingRefusals(c, async () =>
      access.authenticate(readCredential(c), c.req.header('origin')),
    );
    access.assertScope(principal, scope);
    c.set('principal', principal);
    c.get('record').principal = principal.id;
    await countRequest(c, toPayer(c));
    await next();
  };
}

/** The payer of a request: the key, or the address of a caller without one. */
export function toPayer(c: Context<HonoEnv>): string {
  const { kind, id } = c.get('principal');
  // Tokens that were made without a key are anonymous too.
  return kind === 'public' || id === anonymousId ? toAddress(c) : `key:${id}`;
}

/** Stands for an Authorization header with another scheme. It matches no key, because keys have no space. */
const otherScheme = 'another scheme';

/** `Authorization: Bearer`, or `X-API-Key`. A key without `Bearer` before it is none. */
function readCredential(c: Context<HonoEnv>): string | undefined {
  const authorization = c.req.header('authorization');
  const bearer = authorization && (/^Bearer +(.*)$/i.exec(authorization)?.[1] ?? otherScheme);
  const credential = c.req.header('x-api-key') ?? bearer;
  if (credential === undefined) return undefined;
  if (credential.length === 0 || credential.length > maxCredentialLength)
    throw new CodedError('credential_invalid', 'The API key is empty or too long.');
  return credential;
}

/** Errors of a caller without a valid credential. */
const refusals: ReadonlySet<ErrorCode> = new Set([
  'credential_missing',
  'credential_invalid',
  'webhook_signature_invalid',
  'body_timeout',
]);

/**
 * Runs a check of the caller's credential. A refusal counts against the rate of the address, so that nobody can try
 * many keys.
 *
 * @throws {CodedError} what `check` throws; `rate_limited` in its place once there were too many.
 */
export async function countingRefusals<T>(c: Context<HonoEnv>, check: () => Promise<T>): Promise<T> {
  try {
    return await check();
  } catch (error) {
    if (error instanceof CodedError && refusals.has(error.code)) await countRequest(c, toAddress(c));
    throw error;
  }
}

/** Prefix of an address. No key's id has a colon, so the two cannot be confused. */
export const addressPrefix = 'ip:';

const unknownAddress = `${addressPrefix}unknown`;

function toAddress(c: Context<HonoEnv>): string {
  const address = c.req.header('cf-connecting-ip');
  return address === undefined ? unknownAddress : `${addressPrefix}${address}`;
}

/** The caller that takes a place in a queue; undefined if callers are unknown. */
export function toKnownCaller(c: Context<HonoEnv>): string | undefined {
  // Webhooks have no key, so their addresses distinguish them.
  const caller = c.get('principal') ? toPayer(c) : toAddress(c);
  return caller === unknownAddress ? undefined : caller;
}

/**
 * RateLimit-Policy and RateLimit (IETF httpapi draft). Cloudflare's limiter says yes or no and not how much is
 * left, so `r` is told only when it is 0.
 */
async function countRequest(c: Context<HonoEnv>, caller: string): Promise<void> {
  const { rateLimit } = c.get('options');
  if (!rateLimit) return;
  const { requests, periodSeconds } = rateLimit;
  c.header('ratelimit-policy', `"default";q=${requests};w=${periodSeconds}`);
  if (await rateLimit.take(caller)) return;
  c.header('ratelimit', `"default";r=0;t=${periodSeconds}`);
  throw new CodedError('rate_limited', `At most ${requests} requests in ${periodSeconds} s.`, {
    retryAfterSeconds: periodSeconds,
  });
}
