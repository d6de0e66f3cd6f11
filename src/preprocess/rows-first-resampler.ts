import type { PixelWindow } from '../image/image.ts';
import type { CropSink } from './crop-sink.ts';
import {
  kernelEnd,
  kernelOverlap,
  kernelStart,
  type ResampleKernel,
  roundingBias,
  toPairedWeights,
} from './resample-kernel.ts';
import { channels, finishSums, mirrorRow, resizeRow, resizeRowPaired } from './resize-row.ts';

/** For upright axes along the stored ones: each row is resized at once, then added to the crop's rows. */
export class RowsFirstResampler implements CropSink {
  readonly window: PixelWindow;
  readonly crop: Uint8Array;
  complete = false;
  readonly #across: ResampleKernel;
  readonly #down: ResampleKernel;
  readonly #pairedWeights: Int32Array | undefined;
  readonly #mirrorX: boolean;
  readonly #mirrorY: boolean;
  readonly #clampedCrop: Uint8ClampedArray;
  /** One row after the first pass. */
  readonly #resizedRow: Uint8ClampedArray;
  /** Sums of the crop rows in progress; crop row i uses slot i modulo their number. */
  readonly #sums: Int32Array[];
  /** The first crop row that is not finished. */
  #firstOpen = 0;

  constructor(across: ResampleKernel, down: ResampleKernel, mirrorX: boolean, mirrorY: boolean) {
    const size = across.count;
    this.#across = across;
    this.#down = down;
    this.#pairedWeights = toPairedWeights(across);
    this.#mirrorX = mirrorX;
    this.#mirrorY = mirrorY;
    this.window = {
      left: kernelStart(across),
      right: kernelEnd(across),
      top: kernelStart(down),
      bottom: kernelEnd(down),
    };
    this.crop = new Uint8Array(size * size * channels);
    this.#clampedCrop = new Uint8ClampedArray(this.crop.buffer);
    this.#resizedRow = new Uint8ClampedArray(size * channels);
    this.#sums = Array.from({ length: kernelOverlap(down) }, () =>
      new Int32Array(size * channels).fill(roundingBias),
    );
  }

  writeRow(rgb: Uint8Array, y: number): void {
    const down = this.#down;
    const size = down.count;
    const paired = this.#pairedWeights;
    if (paired === undefined) resizeRow(rgb, this.#across, this.#resizedRow);
    else resizeRowPaired(rgb, this.#across, paired, this.#resizedRow);
    if (this.#mirrorX) mirrorRow(this.#resizedRow, this.#across);

    for (let i = this.#firstOpen; i < size && down.start[i] <= y; i++) {
      const tap = y - down.start[i];
      if (tap >= down.length[i]) continue;
      const sums = this.#sums[i % this.#sums.length];
      addWeighted(sums, this.#resizedRow, down.weights[down.offset[i] + tap], sums.length);
      if (tap === down.length[i] - 1) {
        const cropRow = this.#mirrorY ? size - 1 - i : i;
        finishSums(sums, this.#clampedCrop, cropRow * size * channels, sums.length);
        this.#firstOpen = i + 1;
      }
    }
    this.complete = this.#firstOpen === size;
  }
}

function addWeighted(
  sums: Int32Array,
  samples: Uint8Array | Uint8ClampedArray,
  weight: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) sums[i] += Math.imul(samples[i], weight);
}
