import { malformed, truncated } from '../../image-error.ts';
import { type LzwCodes, LzwReader } from '../lzw/lzw-reader.ts';

/** Reads the bytes of one LZW-coded strip forwards. @see TIFF 6.0 section 13 (LZW compression) */
export class TiffLzwReader {
  readonly #codes: StripCodes;
  readonly #lzw: LzwReader;

  constructor(strip: Uint8Array) {
    this.#codes = new StripCodes(strip);
    this.#lzw = new LzwReader(this.#codes, { format: 'tiff', valueBits: 8, growsEarlyBy: 1 });
  }

  /** Begins another strip with the same tables. */
  restart(strip: Uint8Array): void {
    this.#codes.restart(strip);
    this.#lzw.restart();
  }

  /** Fills `target`. @throws {CodedError} `image_truncated`, `image_malformed`. */
  read(target: Uint8Array): void {
    this.#lzw.read(target);
  }
}

/** Codes begin in the high bits. */
class StripCodes implements LzwCodes {
  #strip: Uint8Array;
  #position = 0;
  #bits = 0;
  #bitCount = 0;

  constructor(strip: Uint8Array) {
    this.#strip = strip;
    this.restart(strip);
  }

  restart(strip: Uint8Array): void {
    // Old writers stored the bits the other way round; such a strip begins with a reversed clear code.
    if (strip[0] === 0 && (strip[1] & 1) === 1)
      throw malformed('tiff', 'an LZW variant from before TIFF 5.0');
    this.#strip = strip;
    this.#position = 0;
    this.#bitCount = 0;
  }

  readCode(codeBits: number): number {
    while (this.#bitCount < codeBits) {
      if (this.#position >= this.#strip.length) throw truncated('tiff', 'inside its pixel data');
      this.#bits = ((this.#bits << 8) | this.#strip[this.#position++]) & 0xffffff;
      this.#bitCount += 8;
    }
    this.#bitCount -= codeBits;
    return (this.#bits >>> this.#bitCount) & ((1 << codeBits) - 1);
  }
}
