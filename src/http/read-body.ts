import type { Context } from 'hono';
import { CodedError } from '../errors.ts';
import { emptyBody, readBytes, toDeclaredLength } from '../lib/net/read-bytes.ts';
import { jsonBodyWeight } from '../limits.ts';
import type { HonoEnv } from './context.ts';

/**
 * Reads the body of a request that has been admitted: its bytes count against the isolate's budget until
 * the request ends.
 *
 * @param weight how many times over the body will be held.
 * @throws {CodedError} `body_empty`, `body_too_large`, `body_aborted`, `body_timeout`, `overloaded`,
 *   `media_type_unsupported`.
 */
export async function readBody(c: Context<HonoEnv>, maxBytes: number, weight = 1): Promise<Uint8Array> {
  const request = c.req.raw;
  if (!request.body) throw emptyBody();
  assertPlainBody(request);
  const declared = toDeclaredLength(request);
  // Without an honest length as much as may come is reserved.
  if (!(declared > maxBytes))
    await c.get('admitBytes')(weight * (Number.isNaN(declared) ? maxBytes : declared));
  const { bodies } = c.get('options');
  return await readBytes(request, maxBytes, undefined, () => bodies.state().waiting > 0);
}

/** A small JSON body, or one that holds a base64 image. Throws as `readBody`, and `json_invalid`. */
export async function readJsonBody(c: Context<HonoEnv>, maxBytes: number): Promise<unknown> {
  const bytes = await readBody(c, maxBytes, jsonBodyWeight);
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new CodedError('json_invalid', 'The body is not JSON.');
  }
}

/**
 * Nobody unpacks bodies here: an image is compressed already, and what a packed body grows to is no limit's business.
 *
 * @throws {CodedError} `media_type_unsupported`, which is 415 as RFC 9110 asks for it.
 */
export function assertPlainBody(request: Request): void {
  const coding = request.headers.get('content-encoding')?.trim().toLowerCase() || 'identity';
  if (coding === 'identity') return;
  throw new CodedError(
    'media_type_unsupported',
    `Content-Encoding "${coding.slice(0, 40)}" is not taken: send the body as it is.`,
  );
}
