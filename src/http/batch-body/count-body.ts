import { CodedError } from '../../errors.ts';
import { drain } from '../../lib/net/drain.ts';
import { readBodyChunk } from '../../lib/net/read-body-chunk.ts';
import { batchBodyTimeoutMs } from '../../limits.ts';
import type { CreateSha256 } from '../../model/verified-chunks.ts';

/** A request body that is counted and hashed while someone else reads it. */
export interface CountedBody {
  readonly chunks: AsyncIterable<Uint8Array<ArrayBuffer>>;
  /** Hex SHA-256 of it and of the query before it; call after the last chunk. */
  digest(): Promise<string>;
}

/**
 * @param isOverdue called now and then: whether to give the body up.
 * @throws {CodedError} (from the iteration) `body_empty`, `body_too_large`, `body_aborted`, `body_timeout`.
 */
export function countBody(
  request: Request,
  maxBytes: number,
  createSha256: CreateSha256,
  isOverdue: () => boolean,
): CountedBody {
  const sha256 = createSha256();
  async function* read(): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
    const reader = (request.body as ReadableStream<Uint8Array<ArrayBuffer>> | null)?.getReader();
    const deadline = Date.now() + batchBodyTimeoutMs;
    let total = 0;
    let isSilent = false;
    const { searchParams } = new URL(request.url);
    searchParams.sort();
    await sha256.update(new TextEncoder().encode(`${searchParams}\n`));
    try {
      while (reader) {
        const { done, value } = await readBodyChunk(reader, deadline, isOverdue);
        if (done) break;
        total += value.byteLength;
        if (total > maxBytes) {
          throw new CodedError('body_too_large', `The body is larger than ${maxBytes} bytes.`);
        }
        await sha256.update(value);
        yield value;
      }
    } catch (error) {
      isSilent = error instanceof CodedError && error.code === 'body_timeout';
      throw error;
    } finally {
      // Reads the rest even if the consumer has stopped, because a client reads the answer only after it has sent
      // everything.
      if (isSilent) await reader?.cancel().catch(() => undefined);
      else if (reader) await drain(reader);
    }
    if (total === 0) throw new CodedError('body_empty', 'The body is empty: send inputs.');
  }
  return { chunks: read(), digest: async () => await sha256.digest() };
}
