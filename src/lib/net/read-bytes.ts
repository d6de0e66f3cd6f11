import { CodedError } from '../../errors.ts';
import { bodyHeadStartMs, bodyStepBytes, bodyTimeoutMs, wellBegunShare } from '../../limits.ts';
import { drain } from './drain.ts';
import { readBodyChunk } from './read-body-chunk.ts';

/** NaN if the header is missing or is not a length. */
export function toDeclaredLength(request: Request): number {
  return Number.parseInt(request.headers.get('content-length') ?? '', 10);
}

export interface ReadBytesOptions {
  /** Memory of exactly the declared length, for a body that has one. */
  readonly allocate?: (bytes: number) => Uint8Array;
  /** The time in which the body has to come while others wait for its bytes; undefined while nobody waits. */
  readonly paceMs?: () => number | undefined;
  /** Waits until `bytes` in all may be kept. Called before they are kept. */
  readonly hold?: (bytes: number) => Promise<void>;
}

/**
 * Reads a body and counts its bytes. Content-Length is a hint and never trusted. Memory is taken only for bytes that have
 * come. Only after a quarter of a body has come, memory is taken for the rest of its declared length.
 *
 * @param maxBytes the body is refused as soon as one byte more has come.
 * @throws {CodedError} `body_empty`, `body_too_large`, `body_aborted`, `body_timeout`; what `hold` throws.
 */
export async function readBytes(
  request: Request,
  maxBytes: number,
  options: ReadBytesOptions = {},
): Promise<Uint8Array> {
  const { allocate = (bytes) => new Uint8Array(bytes), paceMs = () => undefined, hold } = options;
  const declared = toDeclaredLength(request);
  if (!request.body) throw emptyBody();
  const reader = request.body.getReader();
  if (declared > maxBytes) {
    await drain(reader);
    throw tooLarge(maxBytes);
  }

  // With an honest length the body is written in place; without one it is joined at the end.
  let whole: Uint8Array | undefined;
  let chunks: Uint8Array[] = [];
  let total = 0;
  let held = 0;
  let started = Date.now();
  const expected = declared > 0 ? declared : maxBytes;
  const isBehind = () => {
    const elapsed = Date.now() - started;
    if (elapsed <= bodyHeadStartMs) return false;
    const pace = paceMs();
    return pace !== undefined && total / expected < elapsed / pace;
  };
  try {
    for (;;) {
      const { done, value } = await readBodyChunk(reader, started + bodyTimeoutMs, isBehind);
      if (done) break;
      const next = total + value.byteLength;
      if (next > maxBytes) throw tooLarge(maxBytes);
      const isWellBegun = next <= declared && next >= declared * wellBegunShare;
      const wanted = isWellBegun ? declared : roundUp(next, bodyStepBytes);
      if (hold && wanted > held) {
        const askedAt = Date.now();
        await hold(wanted);
        held = wanted;
        started += Date.now() - askedAt; // the body did not come because nobody read it
      }
      if (isWellBegun && !whole) {
        whole = allocate(declared);
        copyTo(whole, chunks);
        chunks = [];
      }
      if (whole && chunks.length === 0 && next <= whole.byteLength) whole.set(value, total);
      else chunks.push(value);
      total = next;
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
  const offset = total - chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  if (head) joined.set(head.subarray(0, offset));
  copyTo(joined.subarray(offset), chunks);
  return joined;
}

function copyTo(target: Uint8Array, chunks: readonly Uint8Array[]): void {
  let offset = 0;
  for (const chunk of chunks) {
    target.set(chunk, offset);
    offset += chunk.byteLength;
  }
}

const roundUp = (value: number, step: number) => Math.ceil(value / step) * step;

function tooLarge(maxBytes: number): CodedError {
  return new CodedError('body_too_large', `The body is larger than ${maxBytes} bytes.`);
}

export function emptyBody(): CodedError {
  return new CodedError('body_empty', 'The body is empty.');
}
