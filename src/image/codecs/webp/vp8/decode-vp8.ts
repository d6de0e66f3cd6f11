import type { RowSink } from '../../../image.ts';
import { truncated } from '../../../image-error.ts';
import type { PixelArena } from '../../../pixel-arena.ts';
import { RowFilter } from './filter-row.ts';
import type { FrameHeader } from './frame-header.ts';
import { FrameRows } from './frame-rows.ts';
import { MacroblockMaker } from './macroblock.ts';
import { ModesReader } from './modes.ts';
import { type Residuals, ResidualsReader } from './residuals.ts';
import { partitionWindowBytes } from './wasm/partition-window.ts';
import { ResidualsRoutine } from './wasm/residuals-routine.ts';

/**
 * Decodes a VP8 keyframe by rows of macroblocks: what is held is one row and the end of the one before. Below the sink's
 * window the frame is read to its end, to know that it is whole, but not made.
 *
 * @param bytes what `header` was read from.
 * @param arena memory for the rows, and routines that make them faster; the same bytes.
 * @throws {CodedError} `image_truncated` if a partition ends before its last macroblock.
 * @see RFC 6386
 */
export function decodeVp8(bytes: Uint8Array, header: FrameHeader, sink: RowSink, arena?: PixelArena): void {
  const columns = (header.width + 15) >> 4;
  const rows = (header.height + 15) >> 4;
  arena?.reserve(vp8RoutineBytes(columns, header.partitions.length));
  const frame = new FrameRows(header.width, header.height, columns, sink, arena);
  const reader = new RowReader(bytes, header, columns, frame, arena);
  for (let row = 0; row < rows; row++) {
    const made = !frame.complete;
    reader.readRow(row, made);
    if (!made) continue;
    reader.filterRow(row, Math.min(columns, filteredColumns(sink)));
    frame.finishRow(row);
  }
}

/**
 * What is allocated at most: a macroblock of width has 26 rows of luma, 13 of each chroma plane, RGB and what is kept of
 * the row above; 9 KB are tables, the coefficients and the workspace of one.
 */
function vp8RoutineBytes(columns: number, partitions: number): number {
  return columns * 16 * 45 + partitions * partitionWindowBytes + 9_216;
}

/** Those that change a pixel of the window: chroma is taken from one pixel further right, and a filter reaches as far. */
function filteredColumns({ window }: RowSink): number {
  return (window.right >> 4) + 2;
}

class RowReader {
  readonly #header: FrameHeader;
  readonly #columns: number;
  readonly #frame: FrameRows;
  readonly #modes: ModesReader;
  readonly #residuals: Residuals;
  readonly #maker: MacroblockMaker;
  readonly #filter: RowFilter | undefined;

  constructor(bytes: Uint8Array, header: FrameHeader, columns: number, frame: FrameRows, arena?: PixelArena) {
    this.#header = header;
    this.#columns = columns;
    this.#frame = frame;
    this.#modes = new ModesReader(header, columns);
    this.#residuals = arena
      ? new ResidualsRoutine(arena, bytes, header, columns)
      : new ResidualsReader(bytes, header, columns);
    this.#maker = new MacroblockMaker(columns, arena);
    this.#filter = RowFilter.create(header, columns, arena);
  }

  /** @param made whether the samples are wanted too. */
  readRow(row: number, made: boolean): void {
    this.#modes.startRow();
    this.#residuals.startRow(row);
    if (made) this.#maker.startRow(row);
    for (let column = 0; column < this.#columns; column++) {
      const hasCoefficients = this.#readMacroblock(column);
      if (!made) continue;
      this.#filter?.note(column, this.#modes.current, hasCoefficients);
      this.#frame.moveTo(column);
      this.#maker.make(column, this.#modes.current, this.#residuals, this.#frame.planes);
    }
    if (this.#header.modes.exhausted) throw truncated('webp', 'inside the modes of its macroblocks');
  }

  #readMacroblock(column: number): boolean {
    this.#modes.read(column);
    const { current } = this.#modes;
    let hasCoefficients = false;
    if (current.skipped) this.#residuals.skip(column, current);
    else hasCoefficients = this.#residuals.read(column, current);
    // Also where nothing was read: libwebp takes a partition that has ended for the end of the file.
    if (this.#residuals.exhausted) throw truncated('webp', 'inside a partition');
    return hasCoefficients;
  }

  filterRow(row: number, columns: number): void {
    if (this.#filter === undefined) return;
    for (let column = 0; column < columns; column++) {
      this.#frame.moveTo(column);
      this.#filter.filter(column, row === 0, this.#frame.planes);
    }
  }
}
