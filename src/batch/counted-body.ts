import { CodedError } from '../errors.ts';
import type { CreateSha256 } from '../model/verified-chunks.ts';

/** A request body that is counted and hashed while someone else reads it. */
export interface CountedBody {
  readonly chunks: AsyncIterable<Uint8Array<ArrayBuffer>>;
  /** Hex SHA-256 of it and of the query before it; call after the last chunk. */
  digest(): Promise<string>;
}

/** @throws {CodedError} (from the iteration) `body_empty`, `body_too_large`, `body_aborted`. */
export function countBody(request: Request, maxBytes: number, createSha256: CreateSha256): CountedBody {
  const sha256 = createSha256();
  async function* read(): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
    const reader = (request.body as ReadableStream<Uint8Array<ArrayBuffer>> | null)?.getReader();
    let total = 0;
    const { searchParams } = new URL(request.url);
    searchParams.sort();
    await sha256.update(new TextEncoder().encode(`${searchParams}\n`));
    try {
      while (reader) {
        const { done, value } = await reader.read().catch((cause: unknown) => {
          throw new CodedError('body_aborted', 'The connection ended before the body did.', { cause });
        });
        if (done) break;
        total += value.byteLength;
        if (total > maxBytes) {
          throw new CodedError('body_too_large', `The body is larger than ${maxBytes} bytes.`);
        }
        await sha256.update(value);
        yield value;
      }
    } finally {
      reader?.cancel().catch(() => undefined);
    }
    if (total === 0) throw new CodedError('body_empty', 'The body is empty: send inputs.');
  }
  return { chunks: read(), digest: async () => await sha256.digest() };
}
