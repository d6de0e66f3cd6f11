import { truncated } from '../../image-error.ts';
import { type LzwCodes, LzwReader } from '../lzw/lzw-reader.ts';

/**
 * Reads the bytes of one LZW-coded strip forwards, by TIFF 6.0 or as writers before TIFF 5.0 had it.
 *
 * @see TIFF 6.0 section 13 (LZW compression); libtiff tif_lzw.c, `LZWDecodeCompat`
 */
export class TiffLzwReader {
  readonly #codes: StripCodes;
  readonly #lzw: LzwReader;

  constructor(strip: Uint8Array) {
    const isOld = isOldLzw(strip);
    this.#codes = isOld ? new OldStripCodes(strip) : new StripCodes(strip);
    this.#lzw = new LzwReader(this.#codes, { format: 'tiff', valueBits: 8, growsEarlyBy: isOld ? 0 : 1 });
  }

  /** Whether a strip's codes are like those of the one before. */
  fits(strip: Uint8Array): boolean {
    return isOldLzw(strip) === this.#codes instanceof OldStripCodes;
  }

  /** Begins another strip, which fits, with the same tables. */
  restart(strip: Uint8Array): void {
    this.#codes.restart(strip);
    this.#lzw.restart();
  }

  /** Fills `target`. @throws {CodedError} `image_truncated`, `image_malformed`. */
  read(target: Uint8Array): void {
    this.#lzw.read(target);
  }
}

/** Old writers stored the bits the other way round; such a strip begins with a reversed clear code. */
function isOldLzw(strip: Uint8Array): boolean {
  return strip[0] === 0 && (strip[1]! & 1) === 1;
}

/** Codes begin in the high bits. */
class StripCodes implements LzwCodes {
  #strip: Uint8Array;
  #position = 0;
  protected bits = 0;
  protected bitCount = 0;

  constructor(strip: Uint8Array) {
    this.#strip = strip;
  }

  restart(strip: Uint8Array): void {
    this.#strip = strip;
    this.#position = 0;
    this.bits = 0;
    this.bitCount = 0;
  }

  readCode(codeBits: number): number {
    while (this.bitCount < codeBits) {
      this.bits = ((this.bits << 8) | this.readByte()) & 0xffffff;
      this.bitCount += 8;
    }
    this.bitCount -= codeBits;
    return (this.bits >>> this.bitCount) & ((1 << codeBits) - 1);
  }

  protected readByte(): number {
    if (this.#position >= this.#strip.length) throw truncated('tiff', 'inside its pixel data');
    return this.#strip[this.#position++]!;
  }
}

/** Codes begin in the low bits. */
class OldStripCodes extends StripCodes {
  override readCode(codeBits: number): number {
    while (this.bitCount < codeBits) {
      this.bits |= this.readByte() << this.bitCount;
      this.bitCount += 8;
    }
    const code = this.bits & ((1 << codeBits) - 1);
    this.bits >>>= codeBits;
    this.bitCount -= codeBits;
    return code;
  }
}
