import type { RowSink } from '../../../image.ts';
import { truncated } from '../../../image-error.ts';
import { BoolDecoder } from './bool-decoder.ts';
import { RowFilter } from './filter-row.ts';
import type { FrameHeader } from './frame-header.ts';
import { FrameRows } from './frame-rows.ts';
import { MacroblockMaker } from './macroblock.ts';
import { ModesReader } from './modes.ts';
import { ResidualsReader } from './residuals.ts';

/**
 * Decodes a VP8 keyframe by rows of macroblocks: what is held is one row and the end of the one before. Below the sink's
 * window the frame is read to its end, to know that it is whole, but not made.
 *
 * @param bytes what `header` was read from.
 * @throws {CodedError} `image_truncated` if a partition ends before its last macroblock.
 * @see RFC 6386
 */
export function decodeVp8(bytes: Uint8Array, header: FrameHeader, sink: RowSink): void {
  const columns = (header.width + 15) >> 4;
  const rows = (header.height + 15) >> 4;
  const frame = new FrameRows(header.width, header.height, columns, sink);
  const reader = new RowReader(bytes, header, columns, frame);
  for (let row = 0; row < rows; row++) {
    const made = !frame.complete;
    reader.readRow(row, made);
    if (!made) continue;
    reader.filterRow(row, Math.min(columns, filteredColumns(sink)));
    frame.finishRow(row);
  }
}

/** Those that change a pixel of the window: chroma is taken from one pixel further right, and a filter reaches as far. */
function filteredColumns({ window }: RowSink): number {
  return (window.right >> 4) + 2;
}

class RowReader {
  readonly #header: FrameHeader;
  readonly #columns: number;
  readonly #frame: FrameRows;
  readonly #partitions: readonly BoolDecoder[];
  readonly #modes: ModesReader;
  readonly #residuals: ResidualsReader;
  readonly #maker: MacroblockMaker;
  readonly #filter: RowFilter | undefined;

  constructor(bytes: Uint8Array, header: FrameHeader, columns: number, frame: FrameRows) {
    this.#header = header;
    this.#columns = columns;
    this.#frame = frame;
    this.#partitions = header.partitions.map(({ start, end }) => new BoolDecoder(bytes, start, end));
    this.#modes = new ModesReader(header, columns);
    this.#residuals = new ResidualsReader(header, columns);
    this.#maker = new MacroblockMaker(columns);
    this.#filter = RowFilter.create(header, columns);
  }

  /** @param made whether the samples are wanted too. */
  readRow(row: number, made: boolean): void {
    // A power of two: see `locatePartitions`.
    const partition = this.#partitions[row % this.#partitions.length]!;
    this.#modes.startRow();
    this.#residuals.startRow();
    if (made) this.#maker.startRow(row);
    for (let column = 0; column < this.#columns; column++) {
      const hasCoefficients = this.#readMacroblock(column, partition);
      if (!made) continue;
      this.#filter?.note(column, this.#modes.current, hasCoefficients);
      this.#frame.moveTo(column);
      this.#maker.make(column, this.#modes.current, this.#residuals, this.#frame.planes);
    }
    if (this.#header.modes.exhausted) throw truncated('webp', 'inside the modes of its macroblocks');
  }

  #readMacroblock(column: number, partition: BoolDecoder): boolean {
    this.#modes.read(column);
    const { current } = this.#modes;
    if (current.skipped) {
      this.#residuals.skip(column, current);
      // Though nothing was read: libwebp takes a partition that has ended for the end of the file.
      if (partition.exhausted) throw truncated('webp', 'inside a partition');
      return false;
    }
    // Four segments: in range.
    const { quantizer } = this.#header.segments[current.segment]!;
    const hasCoefficients = this.#residuals.read(column, partition, current, quantizer);
    if (partition.exhausted) throw truncated('webp', 'inside a partition');
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
