import { bitsOf, type CodeTable } from './codes.ts';

/**
 * The bits of a fax, the first in the high bits. Behind the last byte follow zeros, as long as a bit is left: a code may
 * be looked up by more bits than it has.
 *
 * @see libtiff tif_fax3.h, `NeedBits16`, whose end this is, bit by bit
 */
export class FaxBits {
  #bytes: Uint8Array;
  #position = 0;
  /** The next `#count` bits are its low ones. */
  #bits = 0;
  #count = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  restart(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.rewind();
  }

  /** Back to the first bit. */
  rewind(): void {
    this.#position = 0;
    this.#bits = 0;
    this.#count = 0;
  }

  /** The next `count` bits, at most 13, which stay; -1 if none is left. */
  peek(count: number): number {
    while (this.#count < count) {
      if (this.#position === this.#bytes.length) {
        if (this.#count === 0) return -1;
        this.#bits <<= count - this.#count;
        this.#count = count;
        break;
      }
      // What was skipped stands above these bits, and is shifted out.
      this.#bits = ((this.#bits << 8) | this.#bytes[this.#position++]!) & 0xffffff;
      this.#count += 8;
    }
    return (this.#bits >>> (this.#count - count)) & ((1 << count) - 1);
  }

  /** @param count bits that were peeked at. */
  skip(count: number): void {
    this.#count -= count;
  }

  /** The entry of the next code, which is skipped; -1 if no bit is left. */
  read({ bits, entries }: CodeTable): number {
    const next = this.peek(bits);
    if (next < 0) return -1;
    const entry = entries[next]!;
    this.#count -= bitsOf(entry);
    return entry;
  }

  /** Skips the rest of a byte, or of a pair of bytes. */
  align(bits: 8 | 16): void {
    this.#count -= this.#count % bits;
    if (bits === 16 && this.#count === 0 && this.#position % 2 === 1) this.#position++;
  }
}
