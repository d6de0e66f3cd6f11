import { CodedError } from '../errors.ts';

/** Reads exact numbers of bytes from a stream of chunks of any size, copying each byte once. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #ticket: { readonly abandoned: boolean };
  #chunk = new Uint8Array(0);

  /** @param ticket checked at every chunk, so that an abandoned load stops. */
  constructor(chunks: AsyncIterable<Uint8Array>, ticket: { readonly abandoned: boolean }) {
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#ticket = ticket;
  }

  /** @throws {CodedError} `model_corrupt` if the stream ends before `target` is full. */
  async readInto(target: Uint8Array): Promise<void> {
    for (let filled = 0; filled < target.length; ) {
      if (this.#chunk.length === 0) await this.#next();
      const take = this.#chunk.subarray(0, target.length - filled);
      target.set(take, filled);
      filled += take.length;
      this.#chunk = this.#chunk.subarray(take.length);
    }
  }

  async read(bytes: number): Promise<Uint8Array> {
    const target = new Uint8Array(bytes);
    await this.readInto(target);
    return target;
  }

  async skip(bytes: number): Promise<void> {
    await this.read(bytes);
  }

  /** Reads to the end of the stream, which throws there if its hash is wrong. */
  async end(): Promise<void> {
    if (this.#chunk.length > 0)
      throw new CodedError('model_corrupt', 'The model file is longer than its plan.');
    for (;;) {
      const { done, value } = await this.#chunks.next();
      if (done) return;
      if (value.length > 0) throw new CodedError('model_corrupt', 'The model file is longer than its plan.');
    }
  }

  async #next(): Promise<void> {
    const { done, value } = await this.#chunks.next();
    if (this.#ticket.abandoned) throw new CodedError('model_unavailable', 'The model load was given up.');
    if (done) throw new CodedError('model_corrupt', 'The model file is shorter than its plan.');
    this.#chunk = value as Uint8Array<ArrayBuffer>;
  }
}
