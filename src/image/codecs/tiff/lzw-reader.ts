import { malformed, truncated } from '../../image-error.ts';

const clearCode = 256;
const endCode = 257;
const firstEntry = 258;
const minCodeBits = 9;
const maxCodeBits = 12;
const tableSize = 1 << maxCodeBits;

/**
 * Reads the bytes of one LZW-coded strip forwards. Unlike GIF's, codes begin in the high bits and grow one
 * entry early.
 *
 * @see TIFF 6.0 section 13 (LZW compression)
 */
export class TiffLzwReader {
  #strip: Uint8Array;
  readonly #prefix = new Uint16Array(tableSize);
  readonly #suffix = Uint8Array.from({ length: tableSize }, (_, i) => (i < clearCode ? i : 0));
  /** The string being handed out, reversed. */
  readonly #pending = new Uint8Array(tableSize + 1);
  #pendingCount = 0;
  #position = 0;
  #bits = 0;
  #bitCount = 0;
  #codeBits = minCodeBits;
  #nextEntry = firstEntry;
  #previousCode = -1;
  #firstOfPrevious = 0;

  constructor(strip: Uint8Array) {
    this.#strip = strip;
    this.restart(strip);
  }

  /** Begins another strip; the tables, which are larger than most strips, are kept. */
  restart(strip: Uint8Array): void {
    // Old writers stored the bits the other way round; such a strip begins with a reversed clear code.
    if (strip[0] === 0 && (strip[1] & 1) === 1)
      throw malformed('tiff', 'an LZW variant from before TIFF 5.0');
    this.#strip = strip;
    this.#pendingCount = 0;
    this.#position = 0;
    this.#bitCount = 0;
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
    this.#codeBits = minCodeBits;
    this.#nextEntry = firstEntry;
    this.#previousCode = -1;
  }

  #expandNextCode(): void {
    let code = this.#readCode();
    while (code === clearCode) {
      this.#clear();
      code = this.#readCode();
    }
    if (code === endCode) throw truncated('tiff', 'a strip ends before its last pixel');
    const isFirst = this.#previousCode < 0;
    if (isFirst ? code >= clearCode : code > this.#nextEntry) {
      throw malformed('tiff', 'an LZW code without an entry');
    }

    let count = 0;
    let entry = code;
    // A code one past the table stands for the previous string and its own first byte again.
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
      if (this.#nextEntry === (1 << this.#codeBits) - 1 && this.#codeBits < maxCodeBits) this.#codeBits++;
    }
    this.#previousCode = code;
    this.#firstOfPrevious = first;
  }

  #readCode(): number {
    while (this.#bitCount < this.#codeBits) {
      if (this.#position >= this.#strip.length) throw truncated('tiff', 'inside its pixel data');
      this.#bits = ((this.#bits << 8) | this.#strip[this.#position++]) & 0xffffff;
      this.#bitCount += 8;
    }
    this.#bitCount -= this.#codeBits;
    return (this.#bits >>> this.#bitCount) & ((1 << this.#codeBits) - 1);
  }
}
