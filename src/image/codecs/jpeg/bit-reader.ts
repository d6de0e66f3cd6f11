import { malformed, truncated } from '../../image-error.ts';
import { type HuffmanTable, lookaheadBits, maxCodeLength } from './huffman.ts';
import { marker } from './segments.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/**
 * Reads the entropy-coded segments of one scan. The block decoders copy `bits` and `count` into local
 * variables and put them back, so that the hot loops run in registers.
 *
 * Where the data ends, zero bits are supplied, as many as are asked for; `assertNotOverrun` tells
 * whether any of them was consumed.
 *
 * @see ITU-T T.81 F.2.2.5 (NEXTBIT) and B.1.1.5 (byte stuffing)
 */
export class BitReader {
  readonly bytes: Uint8Array;
  /** Next byte to take into `bits`; stands on a marker's 0xFF once it is reached. */
  position: number;
  /** The low `count` bits are the next ones of the stream, most significant first. */
  bits = 0;
  count = 0;
  /** Zero bits supplied behind the end of the data. */
  #suppliedBits = 0;

  constructor(bytes: Uint8Array, position: number) {
    this.bytes = bytes;
    this.position = position;
  }

  /** Goes to bit `bit`, which is there, of the entropy-coded segment that begins at `start`. */
  seek(start: number, bit: number): void {
    const { bytes } = this;
    let left = Math.floor(bit / 8);
    let at = start;
    while (left > 0) {
      const stuffed = bytes.indexOf(0xff, at);
      if (stuffed < 0 || stuffed >= at + left) {
        at += left;
        break;
      }
      left -= stuffed + 1 - at;
      at = stuffed + 2;
    }
    this.position = at;
    this.bits = 0;
    this.count = 0;
    this.#suppliedBits = 0;
    this.readBits(bit % 8);
  }

  /** Makes `count` at least 17, so that any Huffman code and one bit more can be taken. */
  refill(): void {
    const { bytes } = this;
    while (this.count <= 24) {
      let next = 0;
      if (this.#suppliedBits === 0 && this.position < bytes.length) {
        next = bytes[this.position]!;
        if (next !== 0xff) {
          this.position++;
        } else if (bytes[this.position + 1] === 0) {
          this.position += 2;
        } else {
          next = 0;
          this.#suppliedBits = 8;
        }
      } else {
        this.#suppliedBits += 8;
      }
      this.bits = (this.bits << 8) | next;
      this.count += 8;
    }
  }

  /** @param size 0 to 16. */
  readBits(size: number): number {
    if (this.count < size) this.refill();
    this.count -= size;
    return (this.bits >>> this.count) & ((1 << size) - 1);
  }

  readSymbol(table: HuffmanTable): number {
    if (this.count < maxCodeLength) this.refill();
    const entry = table.symbols[(this.bits >>> (this.count - lookaheadBits)) & ((1 << lookaheadBits) - 1)]!;
    if (entry !== 0) {
      this.count -= entry >> 8;
      return entry & 255;
    }
    return this.readLongSymbol(table);
  }

  /**
   * For codes longer than the look-ahead; needs 16 bits in `count`.
   *
   * @throws {CodedError} `image_malformed` if no code matches.
   * @see ITU-T T.81 F.2.2.3, figure F.16 (DECODE)
   */
  readLongSymbol(table: HuffmanTable): number {
    let length = lookaheadBits + 1;
    while (length <= maxCodeLength) {
      const code = (this.bits >>> (this.count - length)) & ((1 << length) - 1);
      if (code <= table.maxCode[length]!) {
        this.count -= length;
        return table.values[table.valueOffset[length]! + code]!;
      }
      length++;
    }
    this.count -= maxCodeLength;
    this.assertNotOverrun();
    throw malformed('jpeg', 'its data holds a Huffman code that no table defines');
  }

  /** @throws {CodedError} if more was read than there is: at the file's end, or at an early marker. */
  assertNotOverrun(): void {
    if (this.#suppliedBits <= this.count) return;
    if (this.#atEndOfFile()) throw truncated('jpeg', 'inside its pixel data');
    throw malformed('jpeg', 'a marker interrupts its pixel data');
  }

  /**
   * Leaves the rest of this segment and enters the next, which must begin with restart marker `index`.
   *
   * @see ITU-T T.81 F.2.2.4 and B.1.1.3 (restart markers count modulo 8)
   */
  readRestart(index: number): void {
    this.assertNotOverrun();
    const { bytes } = this;
    // Only padding is left; some writers add whole bytes of it, which libjpeg skips too.
    let at = this.position;
    for (;;) {
      at = bytes.indexOf(0xff, at);
      if (at < 0 || at + 1 >= bytes.length) throw truncated('jpeg', 'before a restart marker');
      const code = bytes[at + 1];
      if (code === marker.restart0 + index) break;
      if (code !== 0 && code !== 0xff) throw malformed('jpeg', 'a restart marker is missing');
      at++;
    }
    this.position = at + 2;
    this.bits = 0;
    this.count = 0;
    this.#suppliedBits = 0;
  }

  #atEndOfFile(): boolean {
    const { bytes, position } = this;
    if (position + 1 >= bytes.length) return true;
    return bytes[position + 1] === 0xff && bytes.indexOf(marker.endOfImage, position) < 0;
  }
}
