/**
 * Compressed bytes handed over at a time. Deflate grows data up to 1032-fold, and workerd inflates all of
 * what is written before it passes any of it on: 16 KB become at most 17 MB. The first slices are smaller,
 * so that a small image with a bomb behind its pixels does not inflate much of it.
 */
const firstSliceBytes = 512;
const maxSliceBytes = 16 * 1024;
/**
 * workerd inflates whatever it is given, read or not (measured: 1 GB, where 3 MB were asked for). Elsewhere a
 * write waits while what it inflates to is not read, as the Streams standard has it.
 */
const runtime = globalThis as { readonly navigator?: { readonly userAgent?: string } };
const inflatesUnasked = runtime.navigator?.userAgent === 'Cloudflare-Workers';

/** The most that one read of workerd's stream gives (measured); larger ones are noticed. */
const fullChunkBytes = 4096;

/**
 * A slice may inflate to nothing, or to exactly as much as was read: if nothing arrives for so long, more
 * is handed over. Rare, so its length costs nothing.
 */
const stallMs = 2;

/**
 * The inflated content of a zlib stream, read forwards. No more than a few slices of compressed data are
 * handed over before their content is wanted, so data beyond what a header declares costs nothing.
 *
 * Whoever has read enough just lets go of it. It is not cancelled: Node 24's stream throws where nobody can
 * catch it (ERR_INVALID_STATE) if that happens while it inflates, and ends the process.
 *
 * @see RFC 1950, RFC 1951
 */
export class InflatedData {
  readonly #toError: (cause: unknown) => Error;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #slices: Iterator<Uint8Array>;
  #isBegun = false;
  #isAsked = false;
  #isFeeding = false;
  #isFed = false;
  #failure: unknown;
  #chunk: Uint8Array = new Uint8Array(0);
  #largestChunk = fullChunkBytes;
  /** Next byte of `#chunk`. */
  #next = 0;

  /**
   * @param pieces the compressed bytes in order; what the iterable throws, `read` throws.
   * @param toError makes the error to throw where there are no more bytes; `cause` is undefined if the
   *   stream ended in order.
   */
  constructor(pieces: Iterable<Uint8Array>, toError: (cause: unknown) => Error) {
    this.#toError = toError;
    const { readable, writable } = new DecompressionStream('deflate');
    this.#reader = readable.getReader() as ReadableStreamDefaultReader<Uint8Array>;
    this.#writer = writable.getWriter();
    this.#slices = toSlices(pieces);
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

  async #nextChunk(): Promise<void> {
    const reading = this.#reader.read();
    let result: ReadableStreamReadResult<Uint8Array> | undefined;
    try {
      if (!this.#isBegun) this.#feed();
      this.#isBegun = true;
      while (result === undefined) {
        result = await (inflatesUnasked && !this.#isFed ? unlessStalled(reading) : reading);
        if (result === undefined) this.#feed();
      }
    } catch (cause) {
      throw this.#toError(this.#failure ?? cause);
    }
    if (result.done) throw this.#toError(this.#failure);
    this.#chunk = result.value;
    // A chunk that is not full was the last of what is inflated already: the next slice is inflated while this
    // chunk is used. Without it, each slice of a short stream would be waited for until it counts as stalled.
    if (this.#chunk.length < this.#largestChunk) this.#feed();
    this.#largestChunk = Math.max(this.#largestChunk, this.#chunk.length);
    this.#next = 0;
  }

  /** Hands over a slice, or all of them where writing waits for reading; when the one under way is taken. */
  #feed(): void {
    this.#isAsked = true;
    if (!this.#isFeeding && !this.#isFed) void this.#feedSlices();
  }

  /** Never rejects. */
  async #feedSlices(): Promise<void> {
    this.#isFeeding = true;
    while (!this.#isFed && (this.#isAsked || !inflatesUnasked)) {
      this.#isAsked = false;
      await this.#feedSlice();
    }
    this.#isFeeding = false;
  }

  async #feedSlice(): Promise<void> {
    try {
      const { done, value } = this.#slices.next();
      if (done) await this.#endFeeding();
      else await this.#writer.write(value as Uint8Array<ArrayBuffer>);
    } catch (cause) {
      this.#failure ??= cause;
      await this.#endFeeding();
    }
  }

  /** Ends the reader's wait. Fails where the stream has failed, which the reader learns by itself. */
  async #endFeeding(): Promise<void> {
    this.#isFed = true;
    await this.#writer.close().catch(() => undefined);
  }
}

/** @returns what `reading` gives, or undefined if it gives nothing for a while. */
async function unlessStalled<T>(reading: Promise<T>): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stalled = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, stallMs, undefined);
  });
  try {
    return await Promise.race([reading, stalled]);
  } finally {
    if (timer !== undefined) clearTimeout(timer);
  }
}

function* toSlices(pieces: Iterable<Uint8Array>): Generator<Uint8Array, undefined> {
  let sliceBytes = firstSliceBytes;
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      yield piece.subarray(at, at + sliceBytes);
      at += sliceBytes;
      sliceBytes = Math.min(sliceBytes * 2, maxSliceBytes);
    }
  }
}
