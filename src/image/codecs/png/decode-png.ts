import type { PixelWindow, RowSink } from '../../image.ts';
import type { InflatedData } from '../../inflated-data.ts';
import { type ReducedImage, toReducedImages, toWholeImage } from './adam7.ts';
import { type PngLayout, parsePngLayout } from './chunks.ts';
import { DataChecksums } from './data-checksums.ts';
import { openImageData } from './image-data.ts';
import { bitsPerPixel, type PixelRun, toFullPalette, toRgb } from './samples.ts';
import { unfilterRow } from './unfilter.ts';

/**
 * Decodes a PNG row by row through the platform's `DecompressionStream`, holding two rows. Of an
 * interlaced one, all seven passes are read side by side, each through its own inflating stream that
 * skips what comes before it: twice the inflating, but no frame in memory.
 *
 * @param bytes a file whose header `parsePngHeader` has read.
 * @param sink receives the rows of its window.
 * @throws {CodedError} `image_malformed`, `image_truncated`.
 * @see PNG third edition
 */
export async function decodePng(bytes: Uint8Array, sink: RowSink): Promise<void> {
  const layout = parsePngLayout(bytes);
  const { window } = sink;
  const rgb = new Uint8Array(window.right * 3);
  const checksums = new DataChecksums(bytes, layout);
  const rows = openPasses(bytes, layout, checksums, window);
  // What lies below the window must be there too, unless IEND says that nothing is missing.
  const end = layout.ended ? window.bottom : layout.height;
  for (let y = 0; y < end; y++) {
    const isNeeded = y >= window.top && y < window.bottom;
    for (const pass of rows) {
      if (pass.holdsRow(y)) await pass.readRow(isNeeded ? rgb : undefined);
    }
    if (isNeeded) sink.writeRow(rgb, y);
  }
  checksums.compareUntil(bytes.length);
}

function openPasses(
  bytes: Uint8Array,
  layout: PngLayout,
  checksums: DataChecksums,
  window: PixelWindow,
): PassReader[] {
  const { width, height, interlaced } = layout;
  const reduced = interlaced ? toReducedImages(width, height) : [toWholeImage(width, height)];
  const palette = toFullPalette(layout.palette);
  let offset = 0;
  return reduced.map((pass) => {
    const reader = new PassReader(
      openImageData(bytes, layout, checksums),
      layout,
      palette,
      pass,
      window,
      offset,
    );
    offset += reader.totalBytes;
    return reader;
  });
}

/** Reads the rows of one reduced image, one after the other. */
class PassReader {
  /** Inflated bytes of this pass, filter bytes included. */
  readonly totalBytes: number;
  readonly #layout: PngLayout;
  readonly #palette: Uint8Array;
  readonly #pass: ReducedImage;
  readonly #run: PixelRun;
  readonly #pixelBytes: number;
  readonly #data: InflatedData;
  /** Inflated bytes before this pass. */
  #offset: number;
  /** Filter byte, then the row: read in one go. */
  #current: Uint8Array;
  #previous: Uint8Array;

  constructor(
    data: InflatedData,
    layout: PngLayout,
    palette: Uint8Array,
    pass: ReducedImage,
    window: PixelWindow,
    offset: number,
  ) {
    const rowBytes = Math.ceil((pass.width * bitsPerPixel(layout)) / 8);
    this.totalBytes = (rowBytes + 1) * pass.height;
    this.#layout = layout;
    this.#palette = palette;
    this.#pass = pass;
    this.#run = toRun(pass, window);
    this.#pixelBytes = Math.max(1, bitsPerPixel(layout) >> 3);
    this.#data = data;
    this.#offset = offset;
    this.#current = new Uint8Array(rowBytes + 1);
    this.#previous = new Uint8Array(rowBytes + 1);
  }

  holdsRow(y: number): boolean {
    return y >= this.#pass.y && (y - this.#pass.y) % this.#pass.stepY === 0;
  }

  /** @param rgb receives this pass's pixels of the row; undefined to keep none. */
  async readRow(rgb: Uint8Array | undefined): Promise<void> {
    if (this.#offset > 0) {
      await this.#data.skip(this.#offset);
      this.#offset = 0;
    }
    const previous = this.#current;
    this.#current = this.#previous;
    this.#previous = previous;
    await this.#data.read(this.#current);
    const row = this.#current.subarray(1);
    unfilterRow(this.#current[0], row, previous.subarray(1), this.#pixelBytes);
    if (rgb !== undefined) toRgb(row, this.#layout, this.#palette, this.#run, rgb);
  }
}

/** The pixels of a reduced row that lie in the window. */
function toRun({ x, stepX, width }: ReducedImage, { left, right }: PixelWindow): PixelRun {
  const from = Math.max(0, Math.ceil((left - x) / stepX));
  const to = Math.max(from, Math.min(width, Math.ceil((right - x) / stepX)));
  return { from, to, column: x + from * stepX, step: stepX };
}
