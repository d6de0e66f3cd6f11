import { maxStreamedPixels, maxTiffBandBytes, maxTiffBandParts } from '../../../limits.ts';
import type { Warn } from '../../../warnings.ts';
import type { PixelWindow, RowSink } from '../../image.ts';
import { tooComplex } from '../../image-error.ts';
import type { PixelArena } from '../../pixel-arena.ts';
import { ChromaSegments, unitRowBytes } from './chroma-segments.ts';
import { parseTiffDirectory, type TiffDirectory, tiffCompression } from './directory.ts';
import { JpegSegments } from './jpeg-segments.ts';
import { decodeOldJpeg } from './old-jpeg.ts';
import { assertSupported, isChromaSubsampled } from './pixel-layout.ts';
import { SampleSegments, sampleRowBytes } from './sample-segments.ts';
import type { SegmentDecoder } from './segment-decoder.ts';
import { TiffSegments } from './segments.ts';

/**
 * Decodes the first image of a TIFF or BigTIFF: strips stream row by row; a row of tiles is held.
 *
 * @param warn is told `tiff_fax_damaged` for lines of a fax that are wrong, and shown as libtiff shows them; and what
 *   `decodeJpeg` tells of a JPEG inside.
 * @throws {CodedError} `image_malformed`, `image_truncated`, `image_format_unsupported`, `image_too_complex`.
 * @see TIFF 6.0; Pillow src/PIL/TiffImagePlugin.py, `OPEN_INFO`, for how samples become RGB
 */
export function decodeTiff(bytes: Uint8Array, sink: RowSink, warn: Warn, arena?: PixelArena): void {
  const directory = toStoredChroma(parseTiffDirectory(bytes));
  assertSupported(directory);
  if (directory.compression === tiffCompression.oldJpeg) {
    decodeOldJpeg(bytes, directory, sink, warn, arena);
    return;
  }
  const segments = new TiffSegments(bytes, directory);
  if (segments.across * segments.width * directory.height > 2 * maxStreamedPixels) {
    throw tooComplex('tiff', 'tiles that are much wider than the image');
  }
  const isSubsampled = isChromaSubsampled(directory);
  const [, v] = directory.chromaSubsampling;
  segments.assertPresent((rows) =>
    isSubsampled ? Math.ceil(rows / v) * unitRowBytes(directory) : rows * sampleRowBytes(directory),
  );

  const options = { directory, arena, onDamage: () => warn('tiff_fax_damaged') };
  const decoder =
    directory.compression === tiffCompression.jpeg
      ? new JpegSegments(segments, directory, warn, arena)
      : new (isSubsampled ? ChromaSegments : SampleSegments)(segments, options);
  if (segments.across === 1) streamRows(segments, decoder, sink);
  else writeBands(segments, decoder, sink);
}

/** Without compression Pillow takes chroma for not subsampled, if there are bytes enough: so it is where it is read. */
function toStoredChroma(directory: TiffDirectory): TiffDirectory {
  const { compression, byteCounts, segmentHeight } = directory;
  if (compression !== tiffCompression.none || !isChromaSubsampled(directory)) return directory;
  const isFull = (byteCounts.at(0) ?? 0) >= sampleRowBytes(directory) * segmentHeight;
  return isFull ? { ...directory, chromaSubsampling: [1, 1] } : directory;
}

/** Strips, and tiles as wide as the image. */
function streamRows(segments: TiffSegments, decoder: SegmentDecoder, sink: RowSink): void {
  const { left, top, right, bottom } = sink.window;
  const lastRow = Math.floor((bottom - 1) / segments.height);
  for (let row = Math.floor(top / segments.height); row <= lastRow; row++) {
    const first = row * segments.height;
    const window = {
      left,
      right,
      top: Math.max(0, top - first),
      bottom: Math.min(segments.rowsIn(row), bottom - first),
    };
    decoder.decode(0, row, window, (rgb, y) => sink.writeRow(rgb, first + y));
  }
}

/** Rows of tiles, those in the window, in as many parts as memory asks for. */
function writeBands(segments: TiffSegments, decoder: SegmentDecoder, sink: RowSink): void {
  const { right, top, bottom } = sink.window;
  const rowBytes = right * 3;
  const bandRows = Math.min(segments.height, bottom - top, Math.floor(maxTiffBandBytes / rowBytes));
  if (Math.ceil(Math.min(segments.height, bottom - top) / bandRows) > maxTiffBandParts) {
    throw tooComplex('tiff', 'a row of its tiles needs too much memory');
  }
  const band = new Uint8Array(bandRows * rowBytes);
  for (let first = top; first < bottom; ) {
    const row = Math.floor(first / segments.height);
    const end = Math.min(bottom, first + bandRows, (row + 1) * segments.height);
    fillBand(segments, decoder, sink.window, row, first, end, band);
    for (let y = first; y < end; y++) {
      sink.writeRow(band.subarray((y - first) * rowBytes, (y - first + 1) * rowBytes), y);
    }
    first = end;
  }
}

/** Decodes the pixels of the window in rows [first, end), which are of one row of tiles. */
function fillBand(
  segments: TiffSegments,
  decoder: SegmentDecoder,
  { left, right }: PixelWindow,
  row: number,
  first: number,
  end: number,
  band: Uint8Array,
): void {
  const { width, height } = segments;
  for (let column = Math.floor(left / width); column * width < right; column++) {
    const x = column * width;
    const window = {
      left: Math.max(0, left - x),
      right: Math.min(width, right - x),
      top: first - row * height,
      bottom: end - row * height,
    };
    decoder.decode(column, row, window, (rgb, y) => {
      const pixels = rgb.subarray(window.left * 3, window.right * 3);
      band.set(pixels, ((y - window.top) * right + x + window.left) * 3);
    });
  }
}
