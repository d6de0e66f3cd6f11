import type { PixelWindow } from '../image/image.ts';
import type { CropSink } from './crop-sink.ts';
import {
  kernelEnd,
  kernelOverlap,
  kernelStart,
  type ResampleKernel,
  roundingBias,
} from './resample-kernel.ts';
import { channels, finishSums, mirrorRow, resizeRow } from './resize-row.ts';

/** Stored rows that are added at once. */
const batchRows = 4;

/** For swapped axes: rows are added up to columns of the crop, each of which is then resized at once. */
export class ColumnsFirstResampler implements CropSink {
  readonly window: PixelWindow;
  readonly crop: Uint8Array;
  complete = false;
  readonly #across: ResampleKernel;
  readonly #down: ResampleKernel;
  readonly #mirrorX: boolean;
  readonly #mirrorY: boolean;
  /** One upright column of the crop before the second pass: as long as a stored row. */
  readonly #column: Uint8ClampedArray;
  readonly #columnBytes: Uint8Array;
  readonly #resizedColumn: Uint8ClampedArray;
  readonly #sums: Int32Array[];
  /** Rows that wait to be added together: each sum is then loaded and stored once for all of them. */
  readonly #batch: Uint8Array[];
  readonly #rowWeights = new Int32Array(batchRows);
  #rowCount = 0;
  #firstOpen = 0;

  constructor(across: ResampleKernel, down: ResampleKernel, mirrorX: boolean, mirrorY: boolean) {
    const size = across.count;
    this.#across = across;
    this.#down = down;
    this.#mirrorX = mirrorX;
    this.#mirrorY = mirrorY;
    this.window = {
      left: kernelStart(down),
      right: kernelEnd(down),
      top: kernelStart(across),
      bottom: kernelEnd(across),
    };
    this.crop = new Uint8Array(size * size * channels);
    this.#column = new Uint8ClampedArray(this.window.right * channels);
    this.#columnBytes = new Uint8Array(this.#column.buffer);
    this.#batch = Array.from({ length: batchRows }, () => new Uint8Array(this.window.right * channels));
    this.#resizedColumn = new Uint8ClampedArray(size * channels);
    this.#sums = Array.from({ length: kernelOverlap(across) }, () =>
      new Int32Array(this.window.right * channels).fill(roundingBias),
    );
  }

  writeRow(rgb: Uint8Array, y: number): void {
    const { left, right, bottom } = this.window;
    const position = this.#rowCount % batchRows;
    this.#batch[position].set(rgb.subarray(left * channels, right * channels), left * channels);
    this.#rowCount++;
    if (position === batchRows - 1 || y === bottom - 1) this.#addBatch(y - position, position + 1);
  }

  /** Adds the batched rows [top, top + count) to all crop columns they belong to. */
  #addBatch(top: number, count: number): void {
    const across = this.#across;
    const size = across.count;
    const from = this.window.left * channels;
    for (let i = this.#firstOpen; i < size && across.start[i] < top + count; i++) {
      const sums = this.#sums[i % this.#sums.length];
      addWeightedRows(sums, this.#batch, this.#batchWeights(i, top, count), from);
      if (across.start[i] + across.length[i] > top + count) continue;
      finishSums(sums, this.#column, 0, sums.length);
      this.#writeColumn(this.#mirrorX ? size - 1 - i : i);
      this.#firstOpen = i + 1;
    }
    this.complete = this.#firstOpen === size;
  }

  /** Weights of the batched rows in crop column `i`; 0 where it does not reach. */
  #batchWeights(i: number, top: number, count: number): Int32Array {
    const { start, length, offset, weights } = this.#across;
    for (let row = 0; row < batchRows; row++) {
      const tap = top + row - start[i];
      const reaches = row < count && tap >= 0 && tap < length[i];
      this.#rowWeights[row] = reaches ? weights[offset[i] + tap] : 0;
    }
    return this.#rowWeights;
  }

  #writeColumn(x: number): void {
    const size = this.#down.count;
    resizeRow(this.#columnBytes, this.#down, this.#resizedColumn);
    if (this.#mirrorY) mirrorRow(this.#resizedColumn, this.#down);
    for (let y = 0; y < size; y++) {
      const to = (y * size + x) * channels;
      this.crop[to] = this.#resizedColumn[y * channels];
      this.crop[to + 1] = this.#resizedColumn[y * channels + 1];
      this.crop[to + 2] = this.#resizedColumn[y * channels + 2];
    }
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
