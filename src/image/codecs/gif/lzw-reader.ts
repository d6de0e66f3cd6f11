import { malformed, truncated } from '../../image-error.ts';

const maxCodeBits = 12;
const tableSize = 1 << maxCodeBits;
/** GIF allows 2 to 8; Pillow reads up to 11. */
const maxMinimumCodeSize = 11;

/**
 * Reads the colour indices of one frame forwards, as many at a time as are asked for.
 *
 * @see GIF89a appendix F (variable-length-code LZW compression) and section 22 (data sub-blocks)
 */
export class GifLzwReader {
  readonly #bytes: Uint8Array;
  readonly #clearCode: number;
  readonly #minimumCodeSize: number;
  /** Each entry is the string of entry `prefix` followed by `suffix`. */
  readonly #prefix = new Uint16Array(tableSize);
  readonly #suffix = new Uint8Array(tableSize);
  /** The string being handed out, reversed: its first index is at `#pendingCount - 1`. */
  readonly #pending = new Uint8Array(tableSize + 1);
  #pendingCount = 0;
  #position: number;
  /** Bytes left in the current sub-block. */
  #blockBytes = 0;
  #bits = 0;
  #bitCount = 0;
  #codeBits = 0;
  #nextEntry = 0;
  /** -1 after a clear code. */
  #previousCode = -1;
  #firstOfPrevious = 0;

  /** @param start where the LZW minimum code size stands. */
  constructor(bytes: Uint8Array, start: number) {
    const minimumCodeSize = bytes[start];
    if (minimumCodeSize < 1 || minimumCodeSize > maxMinimumCodeSize) {
      throw malformed('gif', `an LZW code size of ${minimumCodeSize}`);
    }
    this.#bytes = bytes;
    this.#position = start + 1;
    this.#minimumCodeSize = minimumCodeSize;
    this.#clearCode = 1 << minimumCodeSize;
    for (let i = 0; i < this.#clearCode; i++) this.#suffix[i] = i;
    this.#clear();
  }

  /** Fills `target`. @throws {CodedError} `image_truncated`, `image_malformed`. */
  read(target: Uint8Array): void {
    let filled = 0;
    while (filled < target.length) {
      if (this.#pendingCount === 0) this.#expandNextCode();
      while (this.#pendingCount > 0 && filled < target.length) {
        target[filled++] = this.#pending[--this.#pendingCount];
      }
    }
  }

  #clear(): void {
    this.#codeBits = this.#minimumCodeSize + 1;
    this.#nextEntry = this.#clearCode + 2;
    this.#previousCode = -1;
  }

  /** Puts the string of the next code into `#pending`. */
  #expandNextCode(): void {
    const endCode = this.#clearCode + 1;
    let code = this.#readCode();
    while (code === this.#clearCode) {
      this.#clear();
      code = this.#readCode();
    }
    if (code === endCode) throw truncated('gif', 'it ends its data before the last pixel');
    const isFirst = this.#previousCode < 0;
    if (isFirst ? code > endCode : code > this.#nextEntry)
      throw malformed('gif', 'an LZW code without an entry');

    let count = 0;
    let entry = code;
    // A code one past the table stands for the previous string and its own first index again.
    if (entry === this.#nextEntry) {
      this.#pending[count++] = this.#firstOfPrevious;
      entry = this.#previousCode;
    }
    while (entry > endCode) {
      this.#pending[count++] = this.#suffix[entry];
      entry = this.#prefix[entry];
    }
    const first = this.#suffix[entry];
    this.#pending[count++] = first;
    this.#pendingCount = count;

    if (!isFirst && this.#nextEntry < tableSize) {
      this.#prefix[this.#nextEntry] = this.#previousCode;
      this.#suffix[this.#nextEntry] = first;
      this.#nextEntry++;
      if (this.#nextEntry === 1 << this.#codeBits && this.#codeBits < maxCodeBits) this.#codeBits++;
    }
    this.#previousCode = code;
    this.#firstOfPrevious = first;
  }

  #readCode(): number {
    while (this.#bitCount < this.#codeBits) {
      this.#bits |= this.#readByte() << this.#bitCount;
      this.#bitCount += 8;
    }
    const code = this.#bits & ((1 << this.#codeBits) - 1);
    this.#bits >>>= this.#codeBits;
    this.#bitCount -= this.#codeBits;
    return code;
  }

  #readByte(): number {
    if (this.#blockBytes === 0) {
      this.#blockBytes = this.#position < this.#bytes.length ? this.#bytes[this.#position++] : 0;
      if (this.#blockBytes === 0) throw truncated('gif', 'inside its pixel data');
    }
    if (this.#position >= this.#bytes.length) throw truncated('gif', 'inside its pixel data');
    this.#blockBytes--;
    return this.#bytes[this.#position++];
  }
}
