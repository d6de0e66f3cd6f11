import { malformed, tooComplex, truncated } from '../../../image-error.ts';
import type { StripReader } from '../strip-reader.ts';
import { Literals } from './literals.ts';
import { Sequences } from './sequences.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

const magic = 0xfd2fb528;
const maxBlockBytes = 131_072;
/** Output behind the history, so that this is moved seldom. */
const maxSlackBytes = 1 << 20;
const blockType = { raw: 0, repeated: 1, compressed: 2 } as const;

/**
 * Reads the content of one Zstandard frame, block by block. What matches may refer to is held, and no more than one block
 * beyond what was asked for is decoded. A checksum is not looked at.
 *
 * @see RFC 8878 section 3.1.1 (Zstandard frames)
 */
export class ZstdReader implements StripReader {
  readonly #maxHistory: number;
  readonly #literals = new Literals(maxBlockBytes);
  readonly #sequences = new Sequences();
  #strip: Uint8Array;
  #position = 0;
  /** How far matches may reach, and how much of the content is held for them. */
  #window = 0;
  #history = 0;
  #isOver = false;
  /** The last of the content, what is to be read of it, and where it ends. */
  #buffer = new Uint8Array(0);
  #next = 0;
  #end = 0;

  /**
   * @param contentBytes that are wanted of the frame.
   * @param maxHistory bytes that may be held for matches.
   * @throws {CodedError} `image_malformed`, `image_truncated`; `image_too_complex` if more is needed.
   */
  constructor(strip: Uint8Array, contentBytes: number, maxHistory: number) {
    this.#maxHistory = maxHistory;
    this.#strip = strip;
    this.restart(strip, contentBytes);
  }

  /** Begins another strip; buffers are kept. */
  restart(strip: Uint8Array, contentBytes: number): void {
    this.#strip = strip;
    this.#position = 0;
    this.#isOver = false;
    this.#literals.restart();
    this.#sequences.restart();
    this.#window = this.#readFrameHeader();
    this.#history = Math.min(this.#window, contentBytes);
    if (this.#history > this.#maxHistory) {
      throw tooComplex('tiff', `Zstandard with a window of ${this.#window} bytes`);
    }
    const slack = Math.min(maxSlackBytes, Math.max(maxBlockBytes, this.#history));
    const size = this.#history + slack;
    if (this.#buffer.length < size) this.#buffer = new Uint8Array(size);
    this.#next = 0;
    this.#end = 0;
  }

  /** Fills `target`. @throws {CodedError} `image_truncated`, `image_malformed`. */
  read(target: Uint8Array): void {
    for (let filled = 0; filled < target.length; ) {
      while (this.#next === this.#end) this.#readBlock();
      const count = Math.min(target.length - filled, this.#end - this.#next);
      target.set(this.#buffer.subarray(this.#next, this.#next + count), filled);
      filled += count;
      this.#next += count;
    }
  }

  /** @returns the window's size. */
  #readFrameHeader(): number {
    if (this.#take(4) !== magic) throw malformed('tiff', 'no Zstandard frame');
    const descriptor = this.#take(1);
    if ((descriptor & 8) !== 0) throw malformed('tiff', 'a Zstandard frame of a reserved kind');
    const isSingle = (descriptor & 32) !== 0;
    let window = 0;
    if (!isSingle) {
      const code = this.#take(1);
      const base = 2 ** (10 + (code >> 3));
      window = base + (base / 8) * (code & 7);
    }
    const dictionary = this.#take([0, 1, 2, 4][descriptor & 3]!);
    if (dictionary !== 0) throw malformed('tiff', 'a Zstandard frame with a dictionary');
    const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
    const size = this.#take(sizeBytes) + (sizeBytes === 2 ? 256 : 0);
    return isSingle ? size : window;
  }

  /** A number of up to 8 bytes, the first the lowest. */
  #take(byteCount: number): number {
    if (this.#position + byteCount > this.#strip.length) throw truncated('tiff', 'inside its pixel data');
    let value = 0;
    for (let i = byteCount - 1; i >= 0; i--) value = value * 256 + this.#strip[this.#position + i]!;
    this.#position += byteCount;
    return value;
  }

  /** All that was decoded has been read. */
  #readBlock(): void {
    if (this.#isOver) throw truncated('tiff', 'a strip ends before its last pixel');
    const header = this.#take(3);
    const type = (header >> 1) & 3;
    const size = header >> 3;
    this.#isOver = (header & 1) === 1;
    this.#makeRoom();
    if (type === blockType.repeated) {
      const byte = this.#take(1);
      this.#assertRoom(size);
      this.#buffer.fill(byte, this.#end, this.#end + size);
      this.#end += size;
      return;
    }
    if (this.#position + size > this.#strip.length) throw truncated('tiff', 'inside its pixel data');
    const block = this.#strip.subarray(this.#position, this.#position + size);
    this.#position += size;
    if (type === blockType.raw) {
      this.#assertRoom(size);
      this.#buffer.set(block, this.#end);
      this.#end += size;
    } else if (type === blockType.compressed && size > 0) this.#readCompressed(block);
    else throw wrong();
  }

  /** Moves the history to the beginning where a block may not fit behind it. */
  #makeRoom(): void {
    if (this.#end + maxBlockBytes <= this.#buffer.length) return;
    this.#buffer.copyWithin(0, this.#end - this.#history, this.#end);
    this.#end = this.#history;
    this.#next = this.#history;
  }

  /** No block is longer. */
  #assertRoom(size: number): void {
    if (size > maxBlockBytes) throw wrong();
  }

  #readCompressed(block: Uint8Array): void {
    const literals = this.#literals;
    const start = literals.read(block);
    const limit = this.#end + maxBlockBytes;
    let taken = 0;
    this.#sequences.read(block.subarray(start), (literalLength, matchLength, offset) => {
      const literalEnd = this.#end + literalLength;
      const isWrong = taken + literalLength > literals.count || literalEnd + matchLength > limit;
      if (isWrong || offset < 1 || offset > literalEnd || offset > Math.max(this.#window, maxBlockBytes))
        throw wrong();
      this.#buffer.set(literals.bytes.subarray(taken, taken + literalLength), this.#end);
      taken += literalLength;
      copyMatch(this.#buffer, literalEnd, offset, matchLength);
      this.#end = literalEnd + matchLength;
    });
    const rest = literals.bytes.subarray(taken, literals.count);
    if (this.#end + rest.length > limit) throw wrong();
    this.#buffer.set(rest, this.#end);
    this.#end += rest.length;
  }
}

/** Copies bytes of which some may be those that it writes. */
function copyMatch(buffer: Uint8Array, at: number, offset: number, length: number): void {
  if (offset >= length) {
    buffer.copyWithin(at, at - offset, at - offset + length);
    return;
  }
  for (let i = at; i < at + length; i++) buffer[i] = buffer[i - offset]!;
}

function wrong(): Error {
  return malformed('tiff', 'its Zstandard data is wrong');
}
