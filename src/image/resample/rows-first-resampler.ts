import type { ColourRows, PixelWindow } from '../image.ts';
import type { PixelArena } from '../pixel-arena.ts';
import type { CropSink, StoredAxes } from './crop-sink.ts';
import { filterEnd, filterOverlap, filterStart } from './filter.ts';
import { channels, writeLine } from './resize-row.ts';
import { createRowPass, type RowPass } from './row-pass.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/**
 * Each stored row is resized at once, then added to the lines of the crop it belongs to.
 *
 * @see Pillow src/libImaging/Resample.c, `ImagingResampleInner` where it begins along the rows
 */
export class RowsFirstResampler implements CropSink {
  readonly window: PixelWindow;
  readonly crop: Uint8Array;
  complete = false;
  /** With an arena, in which the rows must be. */
  readonly writePlanes?: (rows: ColourRows, y: number) => void;
  readonly #axes: StoredAxes;
  readonly #rows: RowPass;
  /** Line i is summed up in slot i modulo their number. */
  readonly #slots: number;
  /** One line of the crop. */
  readonly #line: Uint8ClampedArray;
  /** The first line that is not finished. */
  #firstOpen = 0;

  constructor(axes: StoredAxes, arena: PixelArena | undefined) {
    const { alongRow, alongColumn } = axes;
    this.#axes = axes;
    this.#slots = filterOverlap(alongColumn);
    this.#rows = createRowPass(alongRow, axes.mirrorsRow, this.#slots, arena);
    const rows = this.#rows;
    if (rows.resizePlanes) {
      this.writePlanes = (planes, y) => {
        rows.resizePlanes?.(planes);
        this.#add(y);
      };
    }
    this.window = {
      left: filterStart(alongRow),
      right: filterEnd(alongRow),
      top: filterStart(alongColumn),
      bottom: filterEnd(alongColumn),
    };
    this.crop = new Uint8Array(alongRow.count * alongColumn.count * channels);
    this.#line = new Uint8ClampedArray(alongRow.count * channels);
  }

  writeRow(rgb: Uint8Array, y: number): void {
    this.#rows.resize(rgb);
    this.#add(y);
  }

  /** Adds the row that was resized to all lines it belongs to. */
  #add(y: number): void {
    const { alongColumn, mirrorsColumn, transposes } = this.#axes;
    const lineCount = alongColumn.count;
    for (let i = this.#firstOpen; i < lineCount && alongColumn.start[i]! <= y; i++) {
      const tap = y - alongColumn.start[i]!;
      if (tap >= alongColumn.length[i]!) continue;
      const slot = i % this.#slots;
      this.#rows.addTo(slot, alongColumn.weights[alongColumn.offset[i]! + tap]!);
      if (tap === alongColumn.length[i]! - 1) {
        this.#rows.finish(slot, this.#line);
        writeLine(this.crop, this.#line, mirrorsColumn ? lineCount - 1 - i : i, lineCount, transposes);
        this.#firstOpen = i + 1;
      }
    }
    this.complete = this.#firstOpen === lineCount;
  }
}
