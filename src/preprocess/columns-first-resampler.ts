import type { PixelWindow } from '../image/image.ts';
import type { CropSink, StoredAxes } from './crop-sink.ts';
import { kernelEnd, kernelOverlap, kernelStart, roundingBias } from './resample-kernel.ts';
import { channels, finishSums, mirrorRow, resizeRow, writeLine } from './resize-row.ts';

/** Stored rows that are added at once. */
const batchRows = 4;

/** Stored rows are added up, at their full length, to lines of the crop; each is then resized at once. */
export class ColumnsFirstResampler implements CropSink {
  readonly window: PixelWindow;
  readonly crop: Uint8Array;
  complete = false;
  readonly #axes: StoredAxes;
  readonly #size: number;
  /** One line before the second pass: as long as a stored row. */
  readonly #longLine: Uint8ClampedArray;
  readonly #longLineBytes: Uint8Array;
  readonly #line: Uint8ClampedArray;
  /** Sums of the lines in progress; line i uses slot i modulo their number. */
  readonly #sums: Int32Array[];
  /** Rows that wait to be added together: each sum is then loaded and stored once for all of them. */
  readonly #batch: Uint8Array[];
  readonly #rowWeights = new Int32Array(batchRows);
  #rowCount = 0;
  /** The first line that is not finished. */
  #firstOpen = 0;

  constructor(axes: StoredAxes) {
    const { alongRow, alongColumn } = axes;
    const size = alongRow.count;
    this.#axes = axes;
    this.#size = size;
    this.window = {
      left: kernelStart(alongRow),
      right: kernelEnd(alongRow),
      top: kernelStart(alongColumn),
      bottom: kernelEnd(alongColumn),
    };
    const length = this.window.right * channels;
    this.crop = new Uint8Array(size * size * channels);
    this.#longLine = new Uint8ClampedArray(length);
    this.#longLineBytes = new Uint8Array(this.#longLine.buffer);
    this.#line = new Uint8ClampedArray(size * channels);
    this.#batch = Array.from({ length: batchRows }, () => new Uint8Array(length));
    this.#sums = Array.from({ length: kernelOverlap(alongColumn) }, () =>
      new Int32Array(length).fill(roundingBias),
    );
  }

  writeRow(rgb: Uint8Array, y: number): void {
    const { left, right, bottom } = this.window;
    const position = this.#rowCount % batchRows;
    this.#batch[position].set(rgb.subarray(left * channels, right * channels), left * channels);
    this.#rowCount++;
    if (position === batchRows - 1 || y === bottom - 1) this.#addBatch(y - position, position + 1);
  }

  /** Adds the batched rows [top, top + count) to all lines they belong to. */
  #addBatch(top: number, count: number): void {
    const { alongRow, alongColumn, mirrorsRow, mirrorsColumn, transposes } = this.#axes;
    const size = this.#size;
    const from = this.window.left * channels;
    for (let i = this.#firstOpen; i < size && alongColumn.start[i] < top + count; i++) {
      const sums = this.#sums[i % this.#sums.length];
      addWeightedRows(sums, this.#batch, this.#batchWeights(i, top, count), from);
      if (alongColumn.start[i] + alongColumn.length[i] > top + count) continue;
      finishSums(sums, this.#longLine, 0, sums.length);
      resizeRow(this.#longLineBytes, alongRow, this.#line);
      if (mirrorsRow) mirrorRow(this.#line, alongRow);
      writeLine(this.crop, this.#line, mirrorsColumn ? size - 1 - i : i, size, transposes);
      this.#firstOpen = i + 1;
    }
    this.complete = this.#firstOpen === size;
  }

  /** Weights of the batched rows in line `i`; 0 where it does not reach. */
  #batchWeights(i: number, top: number, count: number): Int32Array {
    const { start, length, offset, weights } = this.#axes.alongColumn;
    for (let row = 0; row < batchRows; row++) {
      const tap = top + row - start[i];
      const reaches = row < count && tap >= 0 && tap < length[i];
      this.#rowWeights[row] = reaches ? weights[offset[i] + tap] : 0;
    }
    return this.#rowWeights;
  }
}

/** Adds `batchRows` rows, each with its weight, from index `from` on. */
function addWeightedRows(
  sums: Int32Array,
  rows: readonly Uint8Array[],
  weights: Int32Array,
  from: number,
): void {
  const [row0, row1, row2, row3] = rows;
  const [weight0, weight1, weight2, weight3] = weights;
  for (let i = from; i < sums.length; i++) {
    sums[i] +=
      Math.imul(row0[i], weight0) +
      Math.imul(row1[i], weight1) +
      Math.imul(row2[i], weight2) +
      Math.imul(row3[i], weight3);
  }
}
