import { CodedError } from '../errors.ts';
import { bodyIdleTimeoutMs } from '../limits.ts';
import { withTimeout } from '../with-timeout.ts';

/**
 * The next bytes of a request's body.
 *
 * @param deadline milliseconds since 1970, of the whole body.
 * @throws {CodedError} `body_aborted`; `body_timeout` where nothing came for `bodyIdleTimeoutMs`, or by the deadline.
 */
export async function readBodyChunk<Bytes extends Uint8Array>(
  reader: ReadableStreamDefaultReader<Bytes>,
  deadline: number,
): Promise<ReadableStreamReadResult<Bytes>> {
  const wait = Math.max(1, Math.min(bodyIdleTimeoutMs, deadline - Date.now()));
  const chunk = reader.read().catch((cause: unknown) => {
    throw new CodedError('body_aborted', 'The connection ended before the body did.', { cause });
  });
  return await withTimeout(
    chunk,
    wait,
    () => new CodedError('body_timeout', 'The body came too slowly and was given up.'),
  );
}
