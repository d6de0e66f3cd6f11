/**
 * The arithmetic decoder that all of a VP8 frame is read with.
 *
 * Bytes behind the end count as zeros. The caller checks `exhausted` after each macroblock: a decoder that
 * needed such a byte has told nothing that holds.
 *
 * @see RFC 6386 section 7
 */
export class BoolDecoder {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #position: number;
  /** What is left of the number, of which `#bits` bits lie below the 8 that are compared. */
  #value = 0;
  #bits = -8;
  /** The range less one, 127 to 254. */
  #range = 254;
  #exhausted = false;

  /** @param start of the partition in `bytes`, which lies in [start, end). */
  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#position = start;
    this.#end = end;
    this.#load();
  }

  /** True once a byte behind the end was needed. */
  get exhausted(): boolean {
    return this.#exhausted;
  }

  /** @param probability that the bit is 0, of 256. @returns 0 or 1. */
  readBit(probability: number): number {
    if (this.#bits < 0) this.#load();
    const split = (this.#range * probability) >> 8;
    let range: number;
    let bit: number;
    if (this.#value >> this.#bits > split) {
      this.#value -= (split + 1) << this.#bits;
      range = this.#range - split;
      bit = 1;
    } else {
      range = split + 1;
      bit = 0;
    }
    const shift = Math.clz32(range) - 24;
    this.#bits -= shift;
    this.#range = (range << shift) - 1;
    return bit;
  }

  readFlag(): boolean {
    return this.readBit(128) === 1;
  }

  /** An unsigned number of so many bits, the highest first. */
  readUint(bits: number): number {
    let value = 0;
    for (let i = 0; i < bits; i++) value = (value << 1) | this.readBit(128);
    return value;
  }

  /** A number of so many bits, and its sign behind it. */
  readInt(bits: number): number {
    const value = this.readUint(bits);
    return this.readFlag() ? -value : value;
  }

  /** As `readInt` behind a flag; 0 where the flag is not set. */
  readOptionalInt(bits: number): number {
    return this.readFlag() ? this.readInt(bits) : 0;
  }

  /** Two bytes at a time, and the last ones alone: `exhausted` is set no sooner than a byte is needed. */
  #load(): void {
    // Both indexes are below `#end`, which is within `#bytes`.
    if (this.#position + 1 < this.#end) {
      this.#value =
        (this.#value << 16) | (this.#bytes[this.#position]! << 8) | this.#bytes[this.#position + 1]!;
      this.#position += 2;
      this.#bits += 16;
      return;
    }
    const byte = this.#position < this.#end ? this.#bytes[this.#position]! : 0;
    if (this.#position >= this.#end) this.#exhausted = true;
    this.#position++;
    this.#value = (this.#value << 8) | byte;
    this.#bits += 8;
  }
}
