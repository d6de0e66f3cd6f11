/**
 * Compressed bytes to hand over at a time. Deflate grows data up to 1032-fold, and workerd inflates all of
 * what is written before it passes any of it on: 16 KB become at most 17 MB.
 */
export const compressedSliceBytes = 16 * 1024;

/**
 * The inflated content of a zlib stream, read forwards. Only as much is inflated as is read, give or take
 * a slice, so data beyond what a header declares costs nothing.
 *
 * @see RFC 1950, RFC 1951
 */
export class InflatedData {
  readonly #toError: (cause: unknown) => Error;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);
  /** Next byte of `#chunk`. */
  #next = 0;
  #failure: unknown;

  /**
   * @param slices the compressed bytes in order; what the iterable throws, `read` throws.
   * @param toError makes the error to throw where there are no more bytes; `cause` is undefined if the
   *   stream ended in order.
   */
  constructor(slices: Iterable<Uint8Array>, toError: (cause: unknown) => Error) {
    this.#toError = toError;
    const { readable, writable } = new DecompressionStream('deflate');
    this.#reader = readable.getReader() as ReadableStreamDefaultReader<Uint8Array>;
    void this.#feed(writable.getWriter(), slices);
  }

  /** Fills `target`. */
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

  /** Passes over `count` bytes. */
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

  async #feed(
    writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>,
    slices: Iterable<Uint8Array>,
  ): Promise<void> {
    try {
      for (const slice of slices) await writer.write(slice as Uint8Array<ArrayBuffer>);
      await writer.close();
    } catch (cause) {
      this.#failure ??= cause;
      // Ends the reader's wait. Fails where the stream is the one that failed, which it knows already.
      await writer.abort(cause).catch(() => undefined);
    }
  }
}
