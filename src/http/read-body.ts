import { CodedError } from '../errors.ts';

/**
 * Reads a request body, counting as it goes: Content-Length is a hint, never trusted.
 *
 * @param maxBytes refused as soon as one byte more has come.
 * @throws {CodedError} `body_empty`, `body_too_large`, `body_aborted`.
 */
export async function readBody(request: Request, maxBytes: number): Promise<Uint8Array> {
  const declared = Number(request.headers.get('content-length') ?? Number.NaN);
  if (declared > maxBytes) throw tooLarge(maxBytes);
  if (!request.body) throw empty();

  // With an honest length the body is written once, in place; without one it is joined at the end.
  const whole = declared > 0 ? new Uint8Array(declared) : undefined;
  const chunks: Uint8Array[] = [];
  let total = 0;
  const reader = request.body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((cause: unknown) => {
        throw new CodedError('body_aborted', 'The connection ended before the body did.', { cause });
      });
      if (done) break;
      if (total + value.byteLength > maxBytes) throw tooLarge(maxBytes);
      if (whole && chunks.length === 0 && total + value.byteLength <= whole.byteLength)
        whole.set(value, total);
      else chunks.push(value);
      total += value.byteLength;
    }
  } catch (error) {
    await reader.cancel().catch(() => undefined);
    throw error;
  }
  if (total === 0) throw empty();
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

function empty(): CodedError {
  return new CodedError('body_empty', 'The body is empty: send an image.');
}
