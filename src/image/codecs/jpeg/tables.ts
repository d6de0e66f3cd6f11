import { malformed } from '../../image-error.ts';
import { blockSize } from './frame.ts';
import { HuffmanTable, maxSymbols } from './huffman.ts';
import { marker, type Segment } from './segments.ts';
import { typicalHuffman } from './typical-huffman.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

const codeLengths = 16;

/** Tables are kept as they stand in the file and built when a scan first uses them. */
class StoredHuffmanTable {
  readonly #counts: Uint8Array;
  readonly #values: Uint8Array;
  #built: HuffmanTable | undefined;

  constructor(counts: Uint8Array, values: Uint8Array) {
    this.#counts = counts;
    this.#values = values;
  }

  get built(): HuffmanTable {
    this.#built ??= new HuffmanTable(this.#counts, this.#values);
    return this.#built;
  }
}

/**
 * The tables in force at one point of a file. Each may be redefined between scans; a scan keeps those
 * that were in force at its beginning.
 *
 * @see ITU-T T.81 B.2.4
 */
export class JpegTables {
  restartInterval = 0;
  readonly #quantization: (Int32Array | undefined)[] = [];
  readonly #dc: (StoredHuffmanTable | undefined)[] = [];
  readonly #ac: (StoredHuffmanTable | undefined)[] = [];

  /** A copy whose tables can be redefined without changing these. Tables that were built are shared. */
  copy(): JpegTables {
    const copy = new JpegTables();
    copy.restartInterval = this.restartInterval;
    copy.#quantization.push(...this.#quantization);
    copy.#dc.push(...this.#dc);
    copy.#ac.push(...this.#ac);
    return copy;
  }

  /** Takes the tables that a segment defines, if it defines any. */
  define(bytes: Uint8Array, segment: Segment): void {
    if (segment.code === marker.quantizationTables) this.defineQuantization(bytes, segment);
    else if (segment.code === marker.huffmanTables) this.defineHuffman(bytes, segment);
    else if (segment.code === marker.restartInterval) this.defineRestartInterval(bytes, segment);
  }

  /** @returns 64 divisors in zigzag order. */
  quantization(index: number): Int32Array {
    const table = this.#quantization[index];
    if (table === undefined) throw malformed('jpeg', `quantization table ${index} is missing`);
    return table;
  }

  dc(index: number): HuffmanTable {
    const table = this.#dc[index];
    if (table === undefined) throw malformed('jpeg', `DC Huffman table ${index} is missing`);
    const { built } = table;
    // Only lossless coding has a difference of 16 bits or more. @see ITU-T T.81 table F.1
    if (built.values.some((size) => size > 15))
      throw malformed('jpeg', 'a DC Huffman table has illegal sizes');
    return built;
  }

  ac(index: number): HuffmanTable {
    const table = this.#ac[index];
    if (table === undefined) throw malformed('jpeg', `AC Huffman table ${index} is missing`);
    return table.built;
  }

  /** @see ITU-T T.81 B.2.4.1 (DQT) */
  defineQuantization(bytes: Uint8Array, { start, end }: Segment): void {
    let at = start;
    while (at < end) {
      const wide = bytes[at]! >> 4 !== 0;
      const index = bytes[at]! & 15;
      at++;
      const length = wide ? blockSize * 2 : blockSize;
      if (index > 3 || at + length > end) throw malformed('jpeg', 'a quantization table is malformed');
      const table = new Int32Array(blockSize);
      for (let k = 0; k < blockSize; k++) {
        table[k] = wide ? (bytes[at + k * 2]! << 8) | bytes[at + k * 2 + 1]! : bytes[at + k]!;
      }
      this.#quantization[index] = table;
      at += length;
    }
  }

  /** @see ITU-T T.81 B.2.4.2 (DHT) */
  defineHuffman(bytes: Uint8Array, { start, end }: Segment): void {
    let at = start;
    while (at < end) {
      const tables = bytes[at]! >> 4 === 0 ? this.#dc : this.#ac;
      const index = bytes[at]! & 15;
      const counts = bytes.subarray(at + 1, at + 1 + codeLengths);
      const total = counts.reduce((sum, count) => sum + count, 0);
      at += 1 + codeLengths;
      if (bytes[at - 1 - codeLengths]! >> 4 > 1 || index > 3 || total > maxSymbols || at + total > end) {
        throw malformed('jpeg', 'a Huffman table is malformed');
      }
      tables[index] = new StoredHuffmanTable(counts, bytes.subarray(at, at + total));
      at += total;
    }
  }

  /**
   * If tables are missing at the first sequential scan, the typical ones are used: motion JPEG leaves them out.
   *
   * @see libjpeg-turbo jstdhuff.c, `std_huff_tables`
   */
  assumeTypicalHuffman(): void {
    for (const [index, { dc, ac }] of typicalHuffman.entries()) {
      this.#dc[index] ??= new StoredHuffmanTable(dc.counts, dc.values);
      this.#ac[index] ??= new StoredHuffmanTable(ac.counts, ac.values);
    }
  }

  /** @see ITU-T T.81 B.2.4.4 (DRI) */
  defineRestartInterval(bytes: Uint8Array, { start, end }: Segment): void {
    if (end - start < 2) throw malformed('jpeg', 'the restart interval is missing');
    this.restartInterval = (bytes[start]! << 8) | bytes[start + 1]!;
  }
}
