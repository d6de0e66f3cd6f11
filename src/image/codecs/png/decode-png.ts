import { maxPngInflatedBytes } from '../../../limits.ts';
import type { Warn } from '../../../warnings.ts';
import type { RowSink } from '../../image.ts';
import { malformed, tooComplex, truncated } from '../../image-error.ts';
import { type InflateEnd, InflateStream } from '../../inflate/inflate-stream.ts';
import type { PixelArena } from '../../pixel-arena.ts';
import { toReducedImages, toWholeImage } from './adam7.ts';
import { colourType, type PngLayout, parsePngLayout } from './chunks.ts';
import { ImageDataInput, toCrc32 } from './image-data.ts';
import { PassReader, passBytes } from './pass-reader.ts';
import { toFullPalette, toRgb } from './samples.ts';

/**
 * Decodes a PNG row by row, holding two rows. The seven passes of an interlaced one are read side by side. Each has
 * an inflater of its own, which skips what comes before: twice the inflating, but no frame in memory.
 *
 * The stream is inflated to its end, also below the window, so that damage there is seen.
 *
 * @param bytes a file whose header `parsePngHeader` has read.
 * @param sink receives the rows of its window.
 * @param warn is told `png_checksum_mismatch` for a wrong CRC of the pixel data, and for a zlib stream whose end or
 *   checksum is wrong or missing behind the last row.
 * @param arena with it, WebAssembly does the work, in its memory: the same bytes, faster.
 * @throws {CodedError} `image_malformed`, `image_truncated`, `image_too_complex`.
 * @see PNG third edition
 */
export function decodePng(bytes: Uint8Array, sink: RowSink, warn: Warn = () => {}, arena?: PixelArena): void {
  const layout = parsePngLayout(bytes);
  const { window } = sink;
  const passes = openPasses(bytes, layout, sink, arena);
  const palette = toFullPalette(layout.palette);
  const rgb = arena ? arena.allocateView(window.right * 3) : new Uint8Array(window.right * 3);
  const isRgb = layout.colourType === colourType.rgb && layout.bitDepth === 8 && !layout.interlaced;
  for (let y = 0; y < layout.height; y++) {
    const isNeeded = y >= window.top && y < window.bottom;
    for (const pass of passes) {
      if (!pass.holdsRow(y)) continue;
      if (y >= window.bottom) {
        pass.rows.skip();
        continue;
      }
      const row = pass.rows.next();
      if (!isNeeded) continue;
      if (isRgb) sink.writeRow(row, y);
      else toRgb(row, layout, palette, pass.run, rgb);
    }
    if (isNeeded && !isRgb) sink.writeRow(rgb, y);
  }
  // The last pass is the one whose data ends the stream.
  if (!passes.at(-1)?.isIntact()) warn('png_checksum_mismatch');
}

function openPasses(
  bytes: Uint8Array,
  layout: PngLayout,
  { window }: RowSink,
  arena: PixelArena | undefined,
): PassReader[] {
  const { width, height, interlaced } = layout;
  const images = interlaced ? toReducedImages(width, height) : [toWholeImage(width, height)];
  assertAffordable(images.map((image) => passBytes(image, layout).totalBytes));
  let offset = 0;
  return images.map((image, index) => {
    const isLast = index === images.length - 1;
    const input = new ImageDataInput(bytes, layout.dataStart, isLast ? toCrc32(arena) : undefined);
    const { rowBytes, totalBytes } = passBytes(image, layout);
    const data = new InflateStream(input, offset + totalBytes, rowBytes + 1, toError, arena);
    data.skip(offset);
    offset += totalBytes;
    return new PassReader(image, layout, window, input, data, arena);
  });
}

/** Each pass inflates what comes before it as well, at less than half of the cost: nothing is unfiltered there. */
function assertAffordable(passSizes: readonly number[]): void {
  let before = 0;
  let inflated = 0;
  for (const size of passSizes) {
    inflated += size + before / 2;
    before += size;
  }
  if (inflated <= maxPngInflatedBytes) return;
  const toMegabytes = (bytes: number) => Math.floor(bytes / 1e6);
  throw tooComplex(
    'png',
    `to inflate it costs as much as ${toMegabytes(inflated)} MB, at most ${toMegabytes(maxPngInflatedBytes)} are taken`,
  );
}

function toError(end: InflateEnd): Error {
  if (end === 'cut') return truncated('png', 'inside its pixel data');
  if (end === 'ended') return truncated('png', 'its data holds fewer rows than it declares');
  return malformed('png', 'its data cannot be inflated');
}
