import type { Context } from 'hono';
import { CodedError } from '../errors.ts';
import { emptyBody, readBytes, toDeclaredLength } from '../lib/net/read-bytes.ts';
import { parseUntrustedJson } from '../lib/parse-untrusted-json.ts';
import { jsonBodyWeight } from '../limits.ts';
import type { HonoEnv } from './context.ts';

/**
 * Reads a request's body. Its bytes count against the isolate's budget as they come, and until the request ends.
 *
 * @param weight how many copies of the body will be held.
 * @throws {CodedError} `body_empty`, `body_too_large`, `body_aborted`, `body_timeout`, `overloaded`,
 *   `media_type_unsupported`.
 */
export async function readBody(c: Context<HonoEnv>, maxBytes: number, weight = 1): Promise<Uint8Array> {
  const request = c.req.raw;
  if (!request.body) throw emptyBody();
  const coding = readContentCoding(request);
  // The unpacked length of a compressed body is unknown.
  const declared = coding === undefined ? toDeclaredLength(request) : Number.NaN;
  const body = c.get('openBody')(
    weight * maxBytes,
    Number.isNaN(declared) ? undefined : weight * Math.min(declared, maxBytes),
  );
  try {
    const bytes = await readBytes(unpack(request, coding), maxBytes, {
      paceMs: () => body.paceMs(),
      hold: (size) => body.growTo(weight * size),
    });
    body.settle();
    return bytes;
  } catch (error) {
    const isCut = error instanceof CodedError && error.code === 'body_aborted';
    if (!isCut || coding === undefined) throw error;
    throw new CodedError('body_aborted', `The body ended early, or is not ${coding}.`, { cause: error });
  }
}

/** Reads a JSON body. Throws as `readBody`, and `json_invalid`. */
export async function readJsonBody(c: Context<HonoEnv>, maxBytes: number): Promise<unknown> {
  const bytes = await readBody(c, maxBytes, jsonBodyWeight);
  try {
    return parseUntrustedJson(bytes);
  } catch (error) {
    const reason = error instanceof RangeError ? `has ${error.message}` : 'is not JSON';
    throw new CodedError('json_invalid', `The body ${reason}.`);
  }
}

type ContentCoding = 'gzip' | 'deflate';

/** Codings that a body may have; the platform unpacks them. */
const contentCodings: readonly string[] = ['gzip', 'deflate'] satisfies ContentCoding[];

/**
 * @returns undefined if the body is not packed.
 * @throws {CodedError} `media_type_unsupported`, which is 415 as RFC 9110 asks for it.
 */
function readContentCoding(request: Request): ContentCoding | undefined {
  const coding = request.headers.get('content-encoding')?.trim().toLowerCase() || 'identity';
  if (coding === 'identity') return undefined;
  if (contentCodings.includes(coding)) return coding as ContentCoding;
  throw new CodedError(
    'media_type_unsupported',
    `Content-Encoding "${coding.slice(0, 40)}" is not taken: send the body as it is, or as gzip or deflate.`,
  );
}

/** A request with the unpacked body. `readBytes` counts the unpacked bytes, so a bomb is refused at the limit. */
function unpack(request: Request, coding: ContentCoding | undefined): Request {
  if (coding === undefined || !request.body) return request;
  const headers = new Headers(request.headers);
  headers.delete('content-length');
  headers.delete('content-encoding');
  const body = request.body.pipeThrough(new DecompressionStream(coding));
  // Node needs to be told that the body is a stream; workerd sends streams as they are.
  return new Request(request.url, {
    method: request.method,
    headers,
    body,
    ...({ duplex: 'half' } as object),
  });
}

/**
 * Refuses a packed body. Batches are streamed to their store and not unpacked.
 *
 * @throws {CodedError} `media_type_unsupported`.
 */
export function assertPlainBody(request: Request): void {
  if (readContentCoding(request) === undefined) return;
  throw new CodedError(
    'media_type_unsupported',
    'A batch is taken without Content-Encoding: images are packed already.',
  );
}
