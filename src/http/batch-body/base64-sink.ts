import { CodedError } from '../../errors.ts';
import { decodeBase64 } from '../../lib/base64.ts';
import { maxBodyBytes } from '../../limits.ts';
import { decodeBase64Image } from '../image-request/base64-image.ts';

/** Characters that decide whether the text is a data: URL: as many as `decodeBase64Image` reads. */
const headLength = 512;
/** Characters decoded at once. */
const pieceLength = 48 * 1024;
/** Most characters from the padding on, including white space, escaped or not. */
const maxTrailing = 256;

function invalid(): CodedError {
  return new CodedError('base64_invalid', '"image" is neither base64 nor a base64 data: URL.');
}

/** Decodes base64, or a base64 data: URL, as it comes. It holds only the decoded bytes, and a piece of text. */
export class Base64Sink {
  #pending = '';
  #hasBegun = false;
  #isUrl = false;
  /** Characters that came after the padding. */
  #trailing = 0;
  #hasPadding = false;
  #bytes = new Uint8Array(0);
  #length = 0;

  /** Bytes that are held for it. */
  get heldBytes(): number {
    return this.#bytes.length;
  }

  /** @throws {CodedError} `base64_invalid`, `body_too_large`. */
  write(text: string): void {
    this.#pending += text;
    if (this.#hasPadding) {
      this.#trailing += text.length;
      if (this.#trailing > maxTrailing) throw invalid();
      return;
    }
    if (!this.#hasBegun) {
      if (this.#pending.length < headLength) return;
      this.#begin();
    }
    if (this.#pending.length >= pieceLength) this.#decodeWhole();
  }

  /**
   * @returns the whole image; it is the caller's.
   * @throws {CodedError} `base64_invalid`, `body_empty`, `body_too_large`.
   */
  end(): Uint8Array {
    // A short text is decoded here, by the rules of every other image.
    if (!this.#hasBegun) return decodeBase64Image(this.#pending);
    this.#append(this.#clean(this.#pending));
    if (this.#length === 0) throw new CodedError('body_empty', '"image" holds no bytes.');
    return this.#bytes.subarray(0, this.#length);
  }

  #begin(): void {
    this.#hasBegun = true;
    const comma = this.#pending.indexOf(',');
    if (!/^\s*data:/i.test(this.#pending)) return;
    // Checks the prefix by the same rules as any other data: URL: appends one byte and decodes it.
    decodeBase64Image(`${this.#pending.slice(0, comma + 1)}AA==`);
    this.#isUrl = true;
    this.#pending = this.#pending.slice(comma + 1);
  }

  /** Decodes all whole groups of four characters. */
  #decodeWhole(): void {
    // The piece may end inside an escape of a data: URL: those characters wait for the next piece.
    const cut = this.#isUrl ? this.#pending.lastIndexOf('%') : -1;
    const safe = cut >= 0 && cut > this.#pending.length - 3 ? cut : this.#pending.length;
    const text = this.#clean(this.#pending.slice(0, safe));
    const whole = text.length - (text.length % 4);
    const padded = text.indexOf('=');
    // Padding ends the text. `end` decodes the rest; many more characters are refused as they come.
    if (padded >= 0) {
      if (text.length - padded > maxTrailing) throw invalid();
      this.#hasPadding = true;
      this.#pending = text + this.#pending.slice(safe);
      this.#assertFits(0);
      return;
    }
    this.#pending = text.slice(whole) + this.#pending.slice(safe);
    this.#append(text.slice(0, whole));
  }

  #clean(text: string): string {
    const plain = this.#isUrl
      ? text.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
      : text;
    return plain.replace(/\s+/g, '');
  }

  #append(text: string): void {
    const bytes = decodeBase64(text);
    if (!bytes) throw invalid();
    this.#assertFits(bytes.length);
    const needed = this.#length + bytes.length;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.min(maxBodyBytes, Math.max(needed, this.#bytes.length * 2)));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = needed;
  }

  /** @param more bytes that come next. Characters that wait to be decoded count too. */
  #assertFits(more: number): void {
    if (this.#length + more + (3 * this.#pending.length) / 4 <= maxBodyBytes + pieceLength) {
      if (this.#length + more <= maxBodyBytes) return;
    }
    throw new CodedError('body_too_large', `An image may have ${maxBodyBytes} bytes.`);
  }
}
