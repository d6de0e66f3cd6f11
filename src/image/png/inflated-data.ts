import { malformed, truncated } from '../image-error.ts';
import type { PngLayout } from './chunks.ts';
import { crc32 } from './crc32.ts';

/**
 * Compressed bytes handed over at a time. Deflate grows data up to 1032-fold, and workerd inflates all of
 * what is written before it passes any of it on: 16 KB become at most 17 MB.
 */
const sliceBytes = 16 * 1024;

/**
 * The inflated content of a PNG's IDAT chunks, read forwards. Only as much is inflated as is read, give
 * or take a slice, so data beyond what the header declares costs nothing.
 *
 * @see PNG third edition, 10 (compression); RFC 1950, RFC 1951
 */
export class InflatedData {
  readonly #bytes: Uint8Array;
  readonly #layout: PngLayout;
  readonly #verifyChecksums: boolean;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);
  /** Next byte of `#chunk`. */
  #next = 0;
  #failure: unknown;

  /** @param verifyChecksums whether each chunk's CRC is compared while its data is handed over. */
  constructor(bytes: Uint8Array, layout: PngLayout, verifyChecksums: boolean) {
    this.#bytes = bytes;
    this.#layout = layout;
    this.#verifyChecksums = verifyChecksums;
    const { readable, writable } = new DecompressionStream('deflate');
    this.#reader = readable.getReader() as ReadableStreamDefaultReader<Uint8Array>;
    void this.#feed(writable.getWriter());
  }

  /** Fills `target`. @throws {CodedError} `image_truncated`, `image_malformed`. */
  async read(target: Uint8Array): Promise<void> {
    let filled = 0;
    while (filled < target.length) {
      if (this.#next === this.#chunk.length) await this.#nextChunk();
      const count = Math.min(target.length - filled, this.#chunk.length - this.#next);
      target.set(this.#chunk.subarray(this.#next, this.#next + count), filled);
      this.#next += count;
      filled += count;
    }
  }

  /** Passes over `count` bytes. @throws {CodedError} `image_truncated`, `image_malformed`. */
  async skip(count: number): Promise<void> {
    let left = count;
    while (left > 0) {
      if (this.#next === this.#chunk.length) await this.#nextChunk();
      const step = Math.min(left, this.#chunk.length - this.#next);
      this.#next += step;
      left -= step;
    }
  }

  /** Gives up the rest of the data. */
  async close(): Promise<void> {
    // A stream that has failed already refuses to be cancelled; its error was reported or does not matter.
    await this.#reader.cancel().catch(() => undefined);
  }

  async #nextChunk(): Promise<void> {
    let result: ReadableStreamReadResult<Uint8Array>;
    try {
      result = await this.#reader.read();
    } catch (cause) {
      throw this.#toError(this.#failure ?? cause);
    }
    if (result.done) throw this.#toError(this.#failure);
    this.#chunk = result.value;
    this.#next = 0;
  }

  /** Why there are no more bytes. */
  #toError(cause: unknown): Error {
    if (cause instanceof Error && cause.name === 'CodedError') return cause;
    if (!this.#layout.ended) return truncated('png', 'inside its pixel data');
    if (cause === undefined) return truncated('png', 'its data holds fewer rows than it declares');
    return malformed('png', 'its data cannot be inflated', { cause });
  }

  async #feed(writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>): Promise<void> {
    const { data } = this.#layout;
    const bytes = this.#bytes as Uint8Array<ArrayBuffer>;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    try {
      for (const { start, end } of data) {
        let crc = this.#verifyChecksums ? crc32(bytes, start - 4, start) : 0;
        for (let at = start; at < end; at += sliceBytes) {
          const sliceEnd = Math.min(at + sliceBytes, end);
          if (this.#verifyChecksums) crc = crc32(bytes, at, sliceEnd, crc);
          await writer.write(bytes.subarray(at, sliceEnd));
        }
        if (this.#verifyChecksums && end + 4 <= bytes.length && crc !== view.getUint32(end)) {
          throw malformed('png', 'the checksum of its IDAT is wrong');
        }
      }
      await writer.close();
    } catch (cause) {
      this.#failure ??= cause;
      // Ends the reader's wait. Fails where the stream is the one that failed, which it knows already.
      await writer.abort(cause).catch(() => undefined);
    }
  }
}
