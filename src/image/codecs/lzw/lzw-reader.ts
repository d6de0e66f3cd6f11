import type { ImageFormat } from '../../image.ts';
import { malformed, truncated } from '../../image-error.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** The longest code that GIF and TIFF write. */
const maxCodeBits = 12;
const tableSize = 1 << maxCodeBits;

/** Takes the next code out of the bytes: each format packs codes in its own way. */
export interface LzwCodes {
  /** @param codeBits 2 to 12. @throws {CodedError} `image_truncated`. */
  readCode(codeBits: number): number;
}

/** How a format's LZW differs from another's. */
export interface LzwDialect {
  readonly format: ImageFormat;
  /** Bits of a value, 1 to 11: codes begin with one bit more. */
  readonly valueBits: number;
  /** How many entries before the last code of a length the codes grow by a bit: TIFF's do so one early. */
  readonly growsEarlyBy: 0 | 1;
}

/**
 * Reads the values of one LZW stream forwards, as many at a time as are asked for.
 *
 * @see GIF89a appendix F (variable-length-code LZW compression)
 * @see TIFF 6.0 section 13 (LZW compression)
 */
export class LzwReader {
  readonly #codes: LzwCodes;
  readonly #dialect: LzwDialect;
  readonly #clearCode: number;
  /** From the end code on, each entry is the string of entry `prefix` followed by `suffix`. */
  readonly #prefix = new Uint16Array(tableSize);
  readonly #suffix = new Uint8Array(tableSize);
  /** How many values the string of each entry has. */
  readonly #length = new Uint16Array(tableSize).fill(1);
  /** The first value in the string of each entry. */
  readonly #first = new Uint8Array(tableSize);
  /** The string of which a part did not fit the last target. */
  readonly #pending = new Uint8Array(tableSize);
  #pendingStart = 0;
  #pendingEnd = 0;
  #codeBits = 0;
  #nextEntry = 0;
  /** -1 after a clear code. */
  #previousCode = -1;

  constructor(codes: LzwCodes, dialect: LzwDialect) {
    this.#codes = codes;
    this.#dialect = dialect;
    this.#clearCode = 1 << dialect.valueBits;
    for (let value = 0; value < this.#clearCode; value++) this.#first[value] = value;
    this.restart();
  }

  /** Begins another stream; the tables, which are larger than most TIFF strips, are kept. */
  restart(): void {
    this.#pendingStart = this.#pendingEnd;
    this.#clear();
  }

  /** Fills `target`. @throws {CodedError} `image_truncated`, `image_malformed`. */
  read(target: Uint8Array): void {
    let filled = this.#takePending(target, 0);
    while (filled < target.length) {
      const code = this.#readString();
      const length = this.#length[code]!;
      if (filled + length <= target.length) {
        filled += length;
        this.#write(code, target, filled);
      } else {
        this.#write(code, this.#pending, length);
        this.#pendingStart = 0;
        this.#pendingEnd = length;
        filled = this.#takePending(target, filled);
      }
    }
  }

  /** @returns how much of `target` is filled then. */
  #takePending(target: Uint8Array, filled: number): number {
    const length = Math.min(this.#pendingEnd - this.#pendingStart, target.length - filled);
    for (let i = 0; i < length; i++) target[filled + i] = this.#pending[this.#pendingStart + i]!;
    this.#pendingStart += length;
    return filled + length;
  }

  /** Writes the string of a code, which the table has from its end, so that it ends before `end`. */
  #write(code: number, target: Uint8Array, end: number): void {
    let entry = code;
    let at = end - 1;
    for (; entry >= this.#clearCode; at--) {
      target[at] = this.#suffix[entry]!;
      entry = this.#prefix[entry]!;
    }
    target[at] = entry;
  }

  #clear(): void {
    this.#codeBits = this.#dialect.valueBits + 1;
    this.#nextEntry = this.#clearCode + 2;
    this.#previousCode = -1;
  }

  /** Reads the next code that stands for a string, and enters the string that it completes. */
  #readString(): number {
    let code = this.#codes.readCode(this.#codeBits);
    while (code === this.#clearCode) {
      this.#clear();
      code = this.#codes.readCode(this.#codeBits);
    }
    if (code > this.#clearCode) this.#assertKnown(code);
    const previous = this.#previousCode;
    this.#previousCode = code;
    const entry = this.#nextEntry;
    if (previous < 0 || entry === tableSize) return code;
    // A code one past the table stands for the previous string and its own first value again.
    this.#prefix[entry] = previous;
    this.#suffix[entry] = this.#first[code === entry ? previous : code]!;
    this.#first[entry] = this.#first[previous]!;
    this.#length[entry] = this.#length[previous]! + 1;
    this.#nextEntry = entry + 1;
    const isLastOfLength = entry + 1 + this.#dialect.growsEarlyBy === 1 << this.#codeBits;
    if (isLastOfLength && this.#codeBits < maxCodeBits) this.#codeBits++;
    return code;
  }

  #assertKnown(code: number): void {
    const { format } = this.#dialect;
    if (code === this.#clearCode + 1) throw truncated(format, 'it ends its data before the last pixel');
    if (this.#previousCode < 0 || code > this.#nextEntry) {
      throw malformed(format, 'an LZW code without an entry');
    }
  }
}
