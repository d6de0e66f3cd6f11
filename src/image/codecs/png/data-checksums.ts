import { assertCrc, type PngLayout, typeIdat, typeIend } from './chunks.ts';

/**
 * Compares the checksums of IDAT chunks, each once however many passes read it, and also of those that nobody reads.
 * It is done as they are handed over, because the platform may inflate beside it.
 *
 * @see PNG third edition, 5.3 (chunk layout)
 */
export class DataChecksums {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  /** Where the next chunk begins. */
  #position: number;

  constructor(bytes: Uint8Array, { dataStart }: PngLayout) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#position = dataStart;
  }

  /**
   * Compares those of all chunks that begin before `end`. The last of a file that was cut has none.
   *
   * @throws {CodedError} `image_malformed`.
   */
  compareUntil(end: number): void {
    while (this.#position + 8 <= Math.min(end, this.#bytes.length)) {
      const chunk = this.#position;
      const range = { start: chunk + 8, end: chunk + 8 + this.#view.getUint32(chunk) };
      const type = this.#view.getUint32(chunk + 4);
      if (type === typeIend) return;
      if (type === typeIdat && range.end + 4 <= this.#bytes.length) {
        assertCrc(this.#bytes, this.#view, chunk, range);
      }
      this.#position = range.end + 4;
    }
  }
}
