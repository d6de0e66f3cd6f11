import { CodedError } from '../../errors.ts';
import { bodyHeadStartMs, bodyTimeoutMs } from '../../limits.ts';
import { drain } from './drain.ts';
import { readBodyChunk } from './read-body-chunk.ts';

/** NaN if the header is missing or no length. */
export function toDeclaredLength(request: Request): number {
  return Number.parseInt(request.headers.get('content-length') ?? '', 10);
}

/**
 * Reads a body, counting as it goes: Content-Length is a hint, never trusted.
 *
 * @param maxBytes refused as soon as one byte more has come.
 * @param allocate memory of exactly the declared length, for a body that has one.
 * @param isWanted whether others wait for the place that the body has: then it has to keep its pace.
 * @throws {CodedError} `body_empty`, `body_too_large`, `body_aborted`, `body_timeout`.
 */
export async function readBytes(
  request: Request,
  maxBytes: number,
  allocate = (bytes: number) => new Uint8Array(bytes),
  isWanted = () => false,
): Promise<Uint8Array> {
  const declared = toDeclaredLength(request);
  if (!request.body) throw emptyBody();
  const reader = request.body.getReader();
  if (declared > maxBytes) {
    await drain(reader);
    throw tooLarge(maxBytes);
  }

  // With an honest length the body is written once, in place; without one it is joined at the end.
  const whole = declared > 0 ? allocate(declared) : undefined;
  const chunks: Uint8Array[] = [];
  let total = 0;
  const started = Date.now();
  const expected = declared > 0 ? declared : maxBytes;
  const isBehind = () => {
    const elapsed = Date.now() - started;
    return elapsed > bodyHeadStartMs && total / expected < elapsed / bodyTimeoutMs && isWanted();
  };
  try {
    for (;;) {
      const { done, value } = await readBodyChunk(reader, started + bodyTimeoutMs, isBehind);
      if (done) break;
      if (total + value.byteLength > maxBytes) throw tooLarge(maxBytes);
      if (whole && chunks.length === 0 && total + value.byteLength <= whole.byteLength)
        whole.set(value, total);
      else chunks.push(value);
      total += value.byteLength;
    }
  } catch (error) {
    if (error instanceof CodedError && error.code === 'body_timeout')
      await reader.cancel().catch(() => undefined);
    else await drain(reader);
    throw error;
  }
  if (total === 0) throw emptyBody();
  if (whole && chunks.length === 0) return whole.subarray(0, total);
  return join(whole, chunks, total);
}

function join(head: Uint8Array | undefined, chunks: readonly Uint8Array[], total: number): Uint8Array {
  const joined = new Uint8Array(total);
  let offset = total - chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  if (head) joined.set(head.subarray(0, offset));
  for (const chunk of chunks) {
    joined.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return joined;
}

function tooLarge(maxBytes: number): CodedError {
  return new CodedError('body_too_large', `The body is larger than ${maxBytes} bytes.`);
}

export function emptyBody(): CodedError {
  return new CodedError('body_empty', 'The body is empty.');
}
