import type { PixelWindow } from '../image/image.ts';
import type { CropSink, StoredAxes } from './crop-sink.ts';
import { kernelEnd, kernelOverlap, kernelStart, roundingBias, toPairedWeights } from './resample-kernel.ts';
import { channels, finishSums, mirrorRow, resizeRow, resizeRowPaired, writeLine } from './resize-row.ts';

/** Each stored row is resized at once, then added to the lines of the crop it belongs to. */
export class RowsFirstResampler implements CropSink {
  readonly window: PixelWindow;
  readonly crop: Uint8Array;
  complete = false;
  readonly #axes: StoredAxes;
  readonly #size: number;
  readonly #pairedWeights: Int32Array | undefined;
  /** One row after the first pass. */
  readonly #resizedRow: Uint8ClampedArray;
  /** One line of the crop. */
  readonly #line: Uint8ClampedArray;
  /** Sums of the lines in progress; line i uses slot i modulo their number. */
  readonly #sums: Int32Array[];
  /** The first line that is not finished. */
  #firstOpen = 0;

  constructor(axes: StoredAxes) {
    const { alongRow, alongColumn } = axes;
    const size = alongRow.count;
    this.#axes = axes;
    this.#size = size;
    this.#pairedWeights = toPairedWeights(alongRow);
    this.window = {
      left: kernelStart(alongRow),
      right: kernelEnd(alongRow),
      top: kernelStart(alongColumn),
      bottom: kernelEnd(alongColumn),
    };
    this.crop = new Uint8Array(size * size * channels);
    this.#resizedRow = new Uint8ClampedArray(size * channels);
    this.#line = new Uint8ClampedArray(size * channels);
    this.#sums = Array.from({ length: kernelOverlap(alongColumn) }, () =>
      new Int32Array(size * channels).fill(roundingBias),
    );
  }

  writeRow(rgb: Uint8Array, y: number): void {
    const { alongRow, alongColumn, mirrorsRow, mirrorsColumn, transposes } = this.#axes;
    const size = this.#size;
    const paired = this.#pairedWeights;
    if (paired === undefined) resizeRow(rgb, alongRow, this.#resizedRow);
    else resizeRowPaired(rgb, alongRow, paired, this.#resizedRow);
    if (mirrorsRow) mirrorRow(this.#resizedRow, alongRow);

    for (let i = this.#firstOpen; i < size && alongColumn.start[i] <= y; i++) {
      const tap = y - alongColumn.start[i];
      if (tap >= alongColumn.length[i]) continue;
      const sums = this.#sums[i % this.#sums.length];
      addWeighted(sums, this.#resizedRow, alongColumn.weights[alongColumn.offset[i] + tap]);
      if (tap === alongColumn.length[i] - 1) {
        finishSums(sums, this.#line, 0, sums.length);
        writeLine(this.crop, this.#line, mirrorsColumn ? size - 1 - i : i, size, transposes);
        this.#firstOpen = i + 1;
      }
    }
    this.complete = this.#firstOpen === size;
  }
}

function addWeighted(sums: Int32Array, samples: Uint8ClampedArray, weight: number): void {
  for (let i = 0; i < sums.length; i++) sums[i] += Math.imul(samples[i], weight);
}
