import type { RowSink } from '../../../image.ts';
import type { PixelArena } from '../../../pixel-arena.ts';
import { upsampleRow } from './upsample.ts';
import { createUpsampler, upsampleMargin } from './wasm/upsample-routine.ts';
import type { PlaneTarget } from './workspace.ts';

/**
 * Rows that stay when the next row of macroblocks is made: its filter changes the last 3 of each plane and reads one
 * more; a row of luma is not converted before the row of chroma below it is done.
 */
const keptLumaRows = 10;
const keptChromaRows = 5;
/** Rows of luma at the lower end of a row of macroblocks that are not converted with it. */
const heldBack = 9;

/**
 * A row of macroblocks and the end of the one before, as planes of luma, Cb and Cr; from there, RGB.
 *
 * Indexes are in range: the planes have `columns` macroblocks a row.
 */
export class FrameRows {
  /** `at` is that of the macroblock that is made next. */
  readonly planes: readonly [PlaneTarget, PlaneTarget, PlaneTarget];
  readonly #width: number;
  readonly #height: number;
  readonly #sink: RowSink;
  readonly #rgb: Uint8Array;
  readonly #upsample: typeof upsampleRow;
  #next: number;

  constructor(width: number, height: number, columns: number, sink: RowSink, arena?: PixelArena) {
    this.#width = width;
    this.#height = height;
    this.#sink = sink;
    this.#next = sink.window.top;
    const allocate = (bytes: number) => arena?.allocateView(bytes) ?? new Uint8Array(bytes);
    const createPlane = (side: number, kept: number): PlaneTarget => ({
      ...{ samples: allocate((kept + side) * columns * side), stride: columns * side },
      at: kept * columns * side,
    });
    this.planes = [
      createPlane(16, keptLumaRows),
      createPlane(8, keptChromaRows),
      createPlane(8, keptChromaRows),
    ];
    this.#rgb = allocate(3 * width + (arena ? upsampleMargin : 0));
    this.#upsample = arena ? createUpsampler(arena) : upsampleRow;
  }

  /** True once all rows of the window are written. */
  get complete(): boolean {
    return this.#next >= this.#sink.window.bottom;
  }

  /** Sets `at` of each plane to a macroblock of the row. */
  moveTo(column: number): void {
    const [luma, cb, cr] = this.planes;
    luma.at = keptLumaRows * luma.stride + 16 * column;
    cb.at = keptChromaRows * cb.stride + 8 * column;
    cr.at = keptChromaRows * cr.stride + 8 * column;
  }

  /** Writes the rows that are done with row `row` of macroblocks, and makes room for the next. */
  finishRow(row: number): void {
    const { window } = this.#sink;
    const end = 16 * (row + 1) >= this.#height ? this.#height : 16 * (row + 1) - heldBack;
    for (; this.#next < Math.min(end, window.bottom); this.#next++) this.#writeRow(this.#next, row);
    for (const [i, { samples, stride }] of this.planes.entries()) {
      const rows = i === 0 ? 16 : 8;
      samples.copyWithin(0, rows * stride, samples.length);
    }
  }

  #writeRow(y: number, row: number): void {
    const { window } = this.#sink;
    const [luma, cb, cr] = this.planes;
    const near = y >> 1;
    const lastChroma = (this.#height - 1) >> 1;
    const far = (y & 1) === 1 ? Math.min(near + 1, lastChroma) : Math.max(near - 1, 0);
    const lumaAt = (y - 16 * row + keptLumaRows) * luma.stride;
    const rowOf = ({ samples, stride }: PlaneTarget, chromaRow: number) => {
      const at = (chromaRow - 8 * row + keptChromaRows) * stride;
      return samples.subarray(at, at + stride);
    };
    this.#upsample(
      luma.samples.subarray(lumaAt, lumaAt + luma.stride),
      ...([rowOf(cb, near), rowOf(cb, far), rowOf(cr, near), rowOf(cr, far)] as const),
      ...([this.#rgb, window.left, window.right, this.#width] as const),
    );
    this.#sink.writeRow(this.#rgb, y);
  }
}
