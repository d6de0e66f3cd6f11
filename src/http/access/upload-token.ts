import { sign, verify } from 'hono/jwt';
import { z } from 'zod';
import { CodedError } from '../../errors.ts';
import { uploadTokenSkewSeconds } from '../../limits.ts';
import type { Principal } from './api-keys.ts';

/** Distinguishes our tokens from keys. Behind it stands a JSON Web Token (RFC 7519), HS256. */
export const uploadTokenPrefix = 'rut_';
const audience = 'resnet-edge/upload';

const claimsSchema = z.object({
  sub: z.string().min(1).max(64),
  aud: z.literal(audience),
  exp: z.number(),
  origin: z.string().optional(),
});

export interface UploadTokenOptions {
  readonly keyId: string;
  readonly expiresInSeconds: number;
  /** The browser page that may use it, as the Origin header says it. */
  readonly origin?: string | undefined;
}

/**
 * Makes a token that may classify for a short while on behalf of a key. A browser or a phone holds it instead of the key.
 * It cannot be revoked before it expires, except by changing the secret.
 */
export async function createUploadToken(
  secret: string,
  { keyId, expiresInSeconds, origin }: UploadTokenOptions,
  now: number,
): Promise<{ token: string; expiresAt: number }> {
  const issued = Math.floor(now / 1000);
  const exp = issued + expiresInSeconds;
  const claims = { sub: keyId, aud: audience, iat: issued, exp, ...(origin === undefined ? {} : { origin }) };
  return { token: uploadTokenPrefix + (await sign(claims, secret, 'HS256')), expiresAt: exp * 1000 };
}

/**
 * @param origin the request's Origin header, if it has one.
 * @throws {CodedError} `credential_invalid`.
 */
export async function verifyUploadToken(
  secret: string,
  token: string,
  origin: string | undefined,
  now: number = Date.now(),
): Promise<Principal> {
  let claims: z.infer<typeof claimsSchema>;
  try {
    const jwt = token.slice(uploadTokenPrefix.length);
    // Times are looked at below: two machines never have quite the same.
    const options = { alg: 'HS256', aud: audience, exp: false, iat: false } as const;
    claims = claimsSchema.parse(await verify(jwt, secret, options));
    if (claims.exp + uploadTokenSkewSeconds <= now / 1000) throw new Error('It has expired.');
  } catch (cause) {
    throw new CodedError('credential_invalid', 'The upload token is not valid or has expired.', { cause });
  }
  const { sub, origin: bound } = claims;
  if (bound !== undefined && bound !== origin) {
    throw new CodedError('credential_invalid', 'The upload token belongs to another origin.');
  }
  return { id: sub, kind: 'token', scopes: ['classify'] };
}
