import { truncated } from '../../image-error.ts';
import { type HuffmanTable, lookaheadBits, maxCodeLength } from './huffman.ts';
import { marker } from './segments.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** Restart markers are numbered modulo this. */
export const restartMarkers = 8;

/**
 * Reads the entropy-coded segments of one scan. The block decoders copy `bits` and `count` into local
 * variables and put them back, so that the hot loops run in registers.
 *
 * Behind the end of the data it supplies zero bits, as many as are asked for; `isOverrun` tells whether any of them was
 * consumed. It treats damaged data as libjpeg does.
 *
 * @see ITU-T T.81 F.2.2.5 (NEXTBIT) and B.1.1.5 (byte stuffing); libjpeg-turbo jdhuff.c, `jpeg_fill_bit_buffer`
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
  /** Where the next byte stands that may be of EOI, as far as it was looked for. */
  #endOfImage = -1;
  readonly onDamage: () => void;

  /** @param onDamage is called for data that no encoder writes. */
  constructor(bytes: Uint8Array, position: number, onDamage: () => void = () => {}) {
    this.bytes = bytes;
    this.position = position;
    this.onDamage = onDamage;
  }

  /** Goes to bit `bit` of the entropy-coded segment that begins at `start`. The bit must exist. */
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
        } else {
          const behind = this.#behindFill();
          if (bytes[behind] === 0) {
            this.position = behind + 1;
          } else {
            next = 0;
            this.#suppliedBits = 8;
          }
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
   * Reads a code longer than the look-ahead. `count` must be at least 16. An invalid code takes 17 bits and gives symbol 0.
   *
   * @see ITU-T T.81 F.2.2.3, figure F.16 (DECODE); libjpeg-turbo jdhuff.c, `jpeg_huff_decode`
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
    this.readBits(1);
    this.onDamage();
    return 0;
  }

  /**
   * Whether more bits were read than the data has before a marker.
   *
   * @throws {CodedError} `image_truncated` if the file ends there.
   */
  isOverrun(): boolean {
    if (this.#suppliedBits <= this.count) return false;
    if (this.#atEndOfFile()) throw truncated('jpeg', 'inside its pixel data');
    this.onDamage();
    return true;
  }

  /**
   * Leaves the rest of this segment and enters the next, which should begin with restart marker `index`. If another marker
   * stands there, it is taken for that one, skipped, or left for a later restart, as in libjpeg.
   *
   * @returns false if the marker is left for a later restart: this segment has no data.
   * @throws {CodedError} `image_truncated` if the file ends first.
   * @see ITU-T T.81 F.2.2.4 and B.1.1.3 (restart markers count modulo 8); libjpeg jdmarker.c, `jpeg_resync_to_restart`
   */
  enterRestart(index: number): boolean {
    this.bits = 0;
    this.count = 0;
    this.#suppliedBits = 0;
    for (;;) {
      // Only padding should be left; some writers add whole bytes of it.
      this.position = this.#findMarker();
      const code = this.bytes[this.#behindFill()]!;
      const meaning = judgeMarker(code, index);
      if (code !== marker.restart0 + index) this.onDamage();
      if (meaning === 'later') return false;
      this.position = this.#behindFill() + 1;
      if (meaning !== 'earlier') return true;
    }
  }

  /** @returns the index of the byte behind a run of 0xFF that begins at `position`. */
  #behindFill(): number {
    let at = this.position + 1;
    while (this.bytes[at] === 0xff) at++;
    return at;
  }

  /** @returns the index of the last 0xFF before a marker's code. */
  #findMarker(): number {
    const { bytes } = this;
    for (let at = this.position; ; at++) {
      at = bytes.indexOf(0xff, at);
      if (at < 0 || at + 1 >= bytes.length) throw truncated('jpeg', 'before a restart marker');
      const code = bytes[at + 1];
      if (code !== 0 && code !== 0xff) return at;
    }
  }

  #atEndOfFile(): boolean {
    const { bytes, position } = this;
    if (position + 1 >= bytes.length) return true;
    if (bytes[position + 1] !== 0xff) return false;
    // Looked up once for all segments before it, of which a file may have a million.
    if (this.#endOfImage < position) this.#endOfImage = bytes.indexOf(marker.endOfImage, position);
    return this.#endOfImage < 0;
  }
}

/** What a marker is taken for that stands in place of restart marker `index`. */
function judgeMarker(code: number, index: number): 'expected' | 'earlier' | 'later' {
  if (code < marker.startOfFrameBaseline) return 'earlier';
  if (code < marker.restart0 || code > marker.restart7) return 'later';
  const ahead = (code - marker.restart0 - index) & (restartMarkers - 1);
  if (ahead === 1 || ahead === 2) return 'later';
  return ahead === 6 || ahead === 7 ? 'earlier' : 'expected';
}
