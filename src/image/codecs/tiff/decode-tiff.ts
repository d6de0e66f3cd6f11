import type { RowSink } from '../../image.ts';
import { malformed, truncated, unsupported } from '../../image-error.ts';
import type { PixelArena } from '../../pixel-arena.ts';
import { parseTiffDirectory, type TiffDirectory, tiffCompression, tiffPhotometric } from './directory.ts';
import { toRgb } from './samples.ts';
import { openStrip, type StripReader } from './strip-readers.ts';

/**
 * Decodes the first image of a TIFF row by row: strips of unsigned integers, uncompressed, LZW, Deflate or
 * PackBits; bilevel, grey, palette, RGB and CMYK. Tiles, planes, floats and embedded JPEG are refused.
 *
 * @throws {CodedError} `image_malformed`, `image_truncated`, `image_format_unsupported`.
 * @see TIFF 6.0; Pillow src/PIL/TiffImagePlugin.py, `OPEN_INFO`, for how samples become RGB
 */
export async function decodeTiff(bytes: Uint8Array, sink: RowSink, arena?: PixelArena): Promise<void> {
  const directory = parseTiffDirectory(bytes);
  assertSupported(directory);
  const { width, height, rowsPerStrip, samplesPerPixel, bitsPerSample, predictor } = directory;
  const rowBytes = Math.ceil((width * samplesPerPixel * bitsPerSample[0]) / 8);
  assertStripsPresent(bytes, directory, rowBytes);
  const row = new Uint8Array(rowBytes);
  const { window } = sink;
  const rgb = new Uint8Array(window.right * 3);
  const firstStrip = Math.floor(window.top / rowsPerStrip);
  const lastStrip = Math.floor((window.bottom - 1) / rowsPerStrip);

  let strip: StripReader | undefined;
  for (let index = firstStrip; index <= lastStrip; index++) {
    strip = openStripAt(bytes, directory, index, rowBytes, strip, arena);
    const end = Math.min((index + 1) * rowsPerStrip, height, window.bottom);
    for (let y = index * rowsPerStrip; y < end; y++) {
      await strip.read(row);
      if (y < window.top) continue;
      if (predictor === 2) undoDifferencing(row, directory);
      toRgb(row, directory, window.left, window.right, rgb);
      sink.writeRow(rgb, y);
    }
  }
}

/**
 * A file that was cut lacks some strip, be it outside the window; what lies inside strips is seen only where
 * they are read.
 */
function assertStripsPresent(
  bytes: Uint8Array,
  { height, rowsPerStrip, stripOffsets, stripByteCounts, compression }: TiffDirectory,
  rowBytes: number,
): void {
  const strips = Math.ceil(height / rowsPerStrip);
  if (stripOffsets.length < strips) throw malformed('tiff', `strip ${stripOffsets.length} is missing`);
  for (let index = 0; index < strips; index++) {
    const rows = Math.min(rowsPerStrip, height - index * rowsPerStrip);
    // Byte counts of uncompressed strips are redundant, and now and then wrong.
    const byteCount = compression === tiffCompression.none ? rows * rowBytes : (stripByteCounts[index] ?? 1);
    if (stripOffsets[index] + byteCount > bytes.length) throw truncated('tiff', 'inside its pixel data');
  }
}

function openStripAt(
  bytes: Uint8Array,
  { height, rowsPerStrip, stripOffsets, stripByteCounts, compression }: TiffDirectory,
  index: number,
  rowBytes: number,
  previous: StripReader | undefined,
  arena: PixelArena | undefined,
): StripReader {
  const start = stripOffsets[index];
  const byteCount = compression === tiffCompression.none ? undefined : stripByteCounts[index];
  const strip = bytes.subarray(start, byteCount === undefined ? bytes.length : start + byteCount);
  const rows = Math.min(rowsPerStrip, height - index * rowsPerStrip);
  return openStrip(compression, strip, rows * rowBytes, previous, arena);
}

function assertSupported(directory: TiffDirectory): void {
  const { photometric, samplesPerPixel, bitsPerSample, predictor } = directory;
  const bits = bitsPerSample[0];
  if (directory.tiled) throw unsupported('tiff', 'tiles');
  if (directory.planarConfiguration !== 1 && samplesPerPixel > 1)
    throw unsupported('tiff', 'separate planes');
  if (directory.fillOrder !== 1) throw unsupported('tiff', 'reversed bits');
  if (directory.sampleFormat !== 1) throw unsupported('tiff', 'samples that are not unsigned integers');
  if (predictor !== 1 && predictor !== 2) throw unsupported('tiff', `predictor ${predictor}`);
  if (bitsPerSample.some((other) => other !== bits)) throw unsupported('tiff', 'samples of several sizes');
  if (samplesPerPixel < 1 || samplesPerPixel > 8)
    throw unsupported('tiff', `${samplesPerPixel} samples per pixel`);

  const isGrey = photometric === tiffPhotometric.whiteIsZero || photometric === tiffPhotometric.blackIsZero;
  const isLight = photometric === tiffPhotometric.blackIsZero;
  const fits =
    (isGrey && samplesPerPixel === 1 && [1, 2, 4, 8].includes(bits)) ||
    (isLight && samplesPerPixel === 1 && bits === 16) ||
    (isLight && samplesPerPixel === 2 && bits === 8) ||
    (photometric === tiffPhotometric.palette && samplesPerPixel === 1 && [1, 2, 4, 8].includes(bits)) ||
    (photometric === tiffPhotometric.palette && samplesPerPixel === 2 && bits === 8) ||
    (photometric === tiffPhotometric.rgb && samplesPerPixel >= 3 && (bits === 8 || bits === 16)) ||
    (photometric === tiffPhotometric.cmyk && samplesPerPixel >= 4 && (bits === 8 || bits === 16));
  if (!fits) {
    throw unsupported(
      'tiff',
      `photometric ${photometric}, ${samplesPerPixel} samples of ${bits} bits per pixel`,
    );
  }
  if (photometric === tiffPhotometric.palette && directory.colourMap.length < 3 << bits) {
    throw malformed('tiff', 'its colour map is missing');
  }
  if (predictor === 2 && bits !== 8 && bits !== 16) throw unsupported('tiff', `a predictor for ${bits} bits`);
}

/** @see TIFF 6.0 section 14 (differencing predictor) */
function undoDifferencing(
  row: Uint8Array,
  { bitsPerSample, samplesPerPixel, littleEndian }: TiffDirectory,
): void {
  if (bitsPerSample[0] === 8) {
    for (let i = samplesPerPixel; i < row.length; i++) row[i] += row[i - samplesPerPixel];
    return;
  }
  const view = new DataView(row.buffer);
  for (let i = samplesPerPixel * 2; i + 1 < row.length; i += 2) {
    const previous = view.getUint16(i - samplesPerPixel * 2, littleEndian);
    view.setUint16(i, view.getUint16(i, littleEndian) + previous, littleEndian);
  }
}
