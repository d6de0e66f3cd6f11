import { malformed, truncated } from '../../image-error.ts';
import { type BmpLayout, bmpCompression } from './layout.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

const endOfLine = 0;
const endOfBitmap = 1;
const delta = 2;

/** Where the commands of one row lead. */
interface RowStep {
  readonly position: number;
  /** Rows to go on. */
  readonly rows: number;
  readonly column: number;
  /** No row follows: the bitmap ends, or the file does. */
  readonly ended: boolean;
  /** The file ends without a mark. */
  readonly cut: boolean;
}

/**
 * Run-length coded rows. A first walk notes where each row begins, so that rows can be read in any order
 * although the file stores them from the bottom.
 *
 * @see MS-WMF 3.1.6 (RLE-8 and RLE-4 bitmap compression)
 */
export class RleRows {
  readonly #bytes: Uint8Array;
  readonly #is4Bit: boolean;
  readonly #row: Uint8Array;
  /** Where each row's commands begin, and the column they begin at; 0 for rows that are skipped. */
  readonly #rowStart: Uint32Array;
  readonly #rowColumn: Uint32Array;

  constructor(bytes: Uint8Array, { width, height, compression, pixelStart }: BmpLayout) {
    this.#bytes = bytes;
    this.#is4Bit = compression === bmpCompression.rle4;
    this.#row = new Uint8Array(width);
    this.#rowStart = new Uint32Array(height);
    this.#rowColumn = new Uint32Array(height);
    this.#findRows(pixelStart, width, height);
  }

  /** @returns one index a pixel, of a row counted as stored; valid until the next call. */
  readRow(y: number): Uint8Array {
    this.#row.fill(0);
    const start = this.#rowStart[y]!;
    if (start > 0) this.#walkRow(start, this.#rowColumn[y]!, this.#row);
    return this.#row;
  }

  /** @throws {CodedError} `image_truncated` if the file ends before all rows do; the last needs no end mark. */
  #findRows(pixelStart: number, width: number, height: number): void {
    let position = pixelStart;
    let column = 0;
    let y = 0;
    while (y < height) {
      this.#rowStart[y] = position;
      this.#rowColumn[y] = column;
      const step = this.#walkRow(position, column, undefined);
      if (step.cut && (y < height - 1 || step.column < width)) throw truncated('bmp', 'inside its pixels');
      if (step.ended) return;
      position = step.position;
      y += step.rows;
      column = step.column;
      if (column > width) throw malformed('bmp', 'its pixel data leaves the image');
    }
  }

  /** Follows the commands of one row. @param row receives its indices, unless it is only measured. */
  #walkRow(start: number, startColumn: number, row: Uint8Array | undefined): RowStep {
    const bytes = this.#bytes;
    let position = start;
    let x = startColumn;
    for (;;) {
      if (position + 2 > bytes.length) return { position, rows: 0, column: x, ended: true, cut: true };
      const count = bytes[position]!;
      const value = bytes[position + 1]!;
      position += 2;
      if (count > 0) {
        if (row !== undefined) this.#writeRun(row, x, count, value);
        x += count;
      } else if (value === endOfLine) {
        return { position, rows: 1, column: 0, ended: false, cut: false };
      } else if (value === endOfBitmap) {
        return { position, rows: 0, column: 0, ended: true, cut: false };
      } else if (value === delta) {
        if (position + 2 > bytes.length) throw truncated('bmp', 'inside its pixels');
        x += bytes[position]!;
        const rows = bytes[position + 1]!;
        position += 2;
        if (rows > 0) return { position, rows, column: x, ended: false, cut: false };
      } else {
        const literalBytes = this.#is4Bit ? (value + 1) >> 1 : value;
        if (position + literalBytes > bytes.length) throw truncated('bmp', 'inside its pixels');
        if (row !== undefined) this.#writeLiteral(row, x, value, position);
        x += value;
        position += literalBytes + (literalBytes & 1);
      }
    }
  }

  /** What lies behind the row's end is dropped: a typed array ignores it. */
  #writeRun(row: Uint8Array, x: number, count: number, value: number): void {
    for (let i = 0; i < count; i++) row[x + i] = this.#is4Bit ? (i & 1 ? value & 15 : value >> 4) : value;
  }

  #writeLiteral(row: Uint8Array, x: number, count: number, position: number): void {
    for (let i = 0; i < count; i++) {
      const byte = this.#bytes[position + (this.#is4Bit ? i >> 1 : i)]!;
      row[x + i] = this.#is4Bit ? (i & 1 ? byte & 15 : byte >> 4) : byte;
    }
  }
}
