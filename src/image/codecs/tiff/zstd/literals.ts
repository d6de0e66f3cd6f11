import { malformed } from '../../../image-error.ts';
import { decodeHuffman, type HuffmanDecoder, readHuffman } from './huffman.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** @see RFC 8878 section 3.1.1.3.1.1 (literals section header) */
const literalsType = { raw: 0, repeated: 1, compressed: 2, treeless: 3 } as const;

/** The literals of blocks. Each may use the Huffman tree of the one before. */
export class Literals {
  /** Room for those of one block. */
  readonly bytes: Uint8Array;
  count = 0;
  #huffman: HuffmanDecoder | undefined;

  constructor(maxBlockBytes: number) {
    this.bytes = new Uint8Array(maxBlockBytes);
  }

  /** Begins another frame. */
  restart(): void {
    this.#huffman = undefined;
  }

  /**
   * Decodes the section at the beginning of a block.
   *
   * @returns the bytes that it takes.
   * @throws {CodedError} `image_malformed`.
   */
  read(block: Uint8Array): number {
    const type = block[0]! & 3;
    const format = (block[0]! >> 2) & 3;
    const header = block[0]! + (block[1] ?? 0) * 2 ** 8 + (block[2] ?? 0) * 2 ** 16;
    if (type === literalsType.raw || type === literalsType.repeated) {
      const headerBytes = [1, 2, 1, 3][format]!;
      this.#setCount((header % 2 ** (headerBytes * 8)) >> (headerBytes === 1 ? 3 : 4));
      return this.#readPlain(block, headerBytes, type === literalsType.repeated);
    }
    const headerBytes = Math.max(3, format + 2);
    const sizeBits = [10, 10, 14, 18][format]!;
    const whole = header + (block[3] ?? 0) * 2 ** 24 + (block[4] ?? 0) * 2 ** 32;
    this.#setCount(Math.floor(whole / 16) % 2 ** sizeBits);
    const codedBytes = Math.floor(whole / 2 ** (4 + sizeBits)) % 2 ** sizeBits;
    const end = headerBytes + codedBytes;
    if (end > block.length) throw wrong();
    this.#readCoded(block.subarray(headerBytes, end), type === literalsType.compressed, format !== 0);
    return end;
  }

  #setCount(count: number): void {
    if (count > this.bytes.length) throw wrong();
    this.count = count;
  }

  #readPlain(block: Uint8Array, start: number, isRepeated: boolean): number {
    const end = start + (isRepeated ? 1 : this.count);
    if (end > block.length) throw wrong();
    if (isRepeated) this.bytes.fill(block[start]!, 0, this.count);
    else this.bytes.set(block.subarray(start, end));
    return end;
  }

  #readCoded(coded: Uint8Array, hasTree: boolean, hasFourStreams: boolean): void {
    let streams = coded;
    if (hasTree) {
      const { huffman, byteCount } = readHuffman(coded);
      this.#huffman = huffman;
      streams = coded.subarray(byteCount);
    }
    const huffman = this.#huffman;
    if (huffman === undefined) throw wrong();
    if (!hasFourStreams) {
      decodeHuffman(huffman, streams, this.bytes.subarray(0, this.count));
      return;
    }
    const part = (this.count + 3) >> 2;
    if (streams.length < 6 || part * 3 > this.count) throw wrong();
    let at = 6;
    for (let i = 0; i < 4; i++) {
      const end = i === 3 ? streams.length : at + streams[i * 2]! + streams[i * 2 + 1]! * 256;
      if (end > streams.length) throw wrong();
      const out = this.bytes.subarray(i * part, i === 3 ? this.count : (i + 1) * part);
      decodeHuffman(huffman, streams.subarray(at, end), out);
      at = end;
    }
  }
}

function wrong(): Error {
  return malformed('tiff', 'literals of Zstandard are wrong');
}
