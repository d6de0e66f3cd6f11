import { malformed, truncated } from '../../image-error.ts';
import { type LzwCodes, LzwReader } from '../lzw/lzw-reader.ts';

/** GIF allows 2 to 8; Pillow reads up to 11. */
const maxMinimumCodeSize = 11;

/**
 * Opens the colour indices of one frame.
 *
 * @param start where the LZW minimum code size stands.
 * @throws {CodedError} `image_malformed` for a code size out of range.
 */
export function openGifLzw(bytes: Uint8Array, start: number): LzwReader {
  const minimumCodeSize = bytes[start]!;
  if (minimumCodeSize < 1 || minimumCodeSize > maxMinimumCodeSize) {
    throw malformed('gif', `an LZW code size of ${minimumCodeSize}`);
  }
  const codes = new SubBlockCodes(bytes, start + 1);
  return new LzwReader(codes, { format: 'gif', valueBits: minimumCodeSize, growsEarlyBy: 0 });
}

/** Codes begin in the low bits; bytes stand in sub-blocks. @see GIF89a section 22 (data sub-blocks) */
class SubBlockCodes implements LzwCodes {
  readonly #bytes: Uint8Array;
  #position: number;
  /** Bytes left in the current sub-block. */
  #blockBytes = 0;
  #bits = 0;
  #bitCount = 0;

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes;
    this.#position = start;
  }

  readCode(codeBits: number): number {
    while (this.#bitCount < codeBits) {
      this.#bits |= this.#readByte() << this.#bitCount;
      this.#bitCount += 8;
    }
    const code = this.#bits & ((1 << codeBits) - 1);
    this.#bits >>>= codeBits;
    this.#bitCount -= codeBits;
    return code;
  }

  #readByte(): number {
    if (this.#blockBytes === 0) {
      this.#blockBytes = this.#position < this.#bytes.length ? this.#bytes[this.#position++]! : 0;
      if (this.#blockBytes === 0) throw truncated('gif', 'inside its pixel data');
    }
    if (this.#position >= this.#bytes.length) throw truncated('gif', 'inside its pixel data');
    this.#blockBytes--;
    return this.#bytes[this.#position++]!;
  }
}
