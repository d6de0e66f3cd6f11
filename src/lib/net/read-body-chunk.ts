import { CodedError } from '../../errors.ts';
import { bodyIdleTimeoutMs } from '../../limits.ts';

/** How often to check a body that is silent. */
const pollMs = 250;

/**
 * Reads the next bytes of a request's body.
 *
 * @param deadline milliseconds since 1970, of the whole body.
 * @param isBehind called now and then: whether to give the body up earlier.
 * @throws {CodedError} `body_aborted`; `body_timeout` if nothing came for `bodyIdleTimeoutMs`, or at the deadline.
 */
export async function readBodyChunk<Bytes extends Uint8Array>(
  reader: ReadableStreamDefaultReader<Bytes>,
  deadline: number,
  isBehind: () => boolean = () => false,
): Promise<ReadableStreamReadResult<Bytes>> {
  const silentUntil = Math.min(deadline, Date.now() + bodyIdleTimeoutMs);
  const isLate = () => Date.now() >= silentUntil || isBehind();
  // Checked here and by the timer, because the chunks of a slow body may come between the timer's ticks.
  if (isLate()) throw tooSlow();
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setInterval(() => isLate() && reject(tooSlow()), pollMs);
  const chunk = reader.read().catch((cause: unknown) => {
    throw new CodedError('body_aborted', 'The connection ended before the body did.', { cause });
  });
  chunk.catch(() => undefined);
  try {
    return await Promise.race([chunk, late]);
  } finally {
    clearInterval(timer);
  }
}

function tooSlow(): CodedError {
  return new CodedError('body_timeout', 'The body came too slowly and was given up.');
}
