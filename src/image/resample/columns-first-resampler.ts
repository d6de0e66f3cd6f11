import type { PixelWindow } from '../image.ts';
import type { PixelArena } from '../pixel-arena.ts';
import { batchRows, type ColumnPass, createColumnPass } from './column-pass.ts';
import type { CropSink, StoredAxes } from './crop-sink.ts';
import { filterEnd, filterOverlap, filterStart } from './filter.ts';
import { channels, mirrorRow, writeLine } from './resize-row.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/**
 * Stored rows are added up, at their full length, to lines of the crop; each is then resized at once.
 *
 * @see Pillow src/libImaging/Resample.c, `ImagingResampleInner` where it begins along the columns
 */
export class ColumnsFirstResampler implements CropSink {
  readonly window: PixelWindow;
  readonly crop: Uint8Array;
  complete = false;
  readonly #axes: StoredAxes;
  readonly #columns: ColumnPass;
  /** Line i is summed up in slot i modulo their number. */
  readonly #slots: number;
  readonly #line: Uint8ClampedArray;
  readonly #rowWeights = new Int32Array(batchRows);
  #rowCount = 0;
  /** The first line that is not finished. */
  #firstOpen = 0;

  constructor(axes: StoredAxes, arena: PixelArena | undefined) {
    const { alongRow, alongColumn } = axes;
    this.#axes = axes;
    this.#slots = filterOverlap(alongColumn);
    this.window = {
      left: filterStart(alongRow),
      right: filterEnd(alongRow),
      top: filterStart(alongColumn),
      bottom: filterEnd(alongColumn),
    };
    this.#columns = createColumnPass(alongRow, this.window.left, this.window.right, this.#slots, arena);
    this.crop = new Uint8Array(alongRow.count * alongColumn.count * channels);
    this.#line = new Uint8ClampedArray(alongRow.count * channels);
  }

  writeRow(rgb: Uint8Array, y: number): void {
    const position = this.#rowCount % batchRows;
    this.#columns.put(position, rgb);
    this.#rowCount++;
    if (position === batchRows - 1 || y === this.window.bottom - 1) {
      this.#addBatch(y - position, position + 1);
    }
  }

  /** Adds the batched rows [top, top + count) to all lines they belong to. */
  #addBatch(top: number, count: number): void {
    const { alongRow, alongColumn, mirrorsRow, mirrorsColumn, transposes } = this.#axes;
    const lineCount = alongColumn.count;
    for (let i = this.#firstOpen; i < lineCount && alongColumn.start[i]! < top + count; i++) {
      const slot = i % this.#slots;
      this.#columns.addBatch(slot, this.#batchWeights(i, top, count));
      if (alongColumn.start[i]! + alongColumn.length[i]! > top + count) continue;
      this.#columns.finish(slot, this.#line);
      if (mirrorsRow) mirrorRow(this.#line, alongRow.count);
      writeLine(this.crop, this.#line, mirrorsColumn ? lineCount - 1 - i : i, lineCount, transposes);
      this.#firstOpen = i + 1;
    }
    this.complete = this.#firstOpen === lineCount;
  }

  /** Weights of the batched rows in line `i`; 0 where it does not reach. */
  #batchWeights(i: number, top: number, count: number): Int32Array {
    const { start, length, offset, weights } = this.#axes.alongColumn;
    for (let row = 0; row < batchRows; row++) {
      const tap = top + row - start[i]!;
      const reaches = row < count && tap >= 0 && tap < length[i]!;
      this.#rowWeights[row] = reaches ? weights[offset[i]! + tap]! : 0;
    }
    return this.#rowWeights;
  }
}
