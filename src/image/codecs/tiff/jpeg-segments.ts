import { maxJpegTablesBytes, maxTiffBandBytes, maxTiffJpegSegments } from '../../../limits.ts';
import type { Warn } from '../../../warnings.ts';
import type { PixelWindow } from '../../image.ts';
import { malformed, tooComplex, unsupported } from '../../image-error.ts';
import type { PixelArena } from '../../pixel-arena.ts';
import { parseJpegTables } from '../jpeg/abbreviated-tables.ts';
import type { JpegColour } from '../jpeg/colour.ts';
import { decodeJpeg } from '../jpeg/decode-jpeg.ts';
import type { JpegFrame } from '../jpeg/frame.ts';
import type { JpegTables } from '../jpeg/tables.ts';
import { type TiffDirectory, tiffPhotometric } from './directory.ts';
import { toRgb } from './samples.ts';
import type { SegmentDecoder, WriteSegmentRow } from './segment-decoder.ts';
import type { TiffSegments } from './segments.ts';
import { createDeclaredConversion } from './ycbcr.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/**
 * Decodes segments that are JPEG streams each, with tables that they share.
 *
 * @see Adobe TIFF technical note 2 (replacement TIFF/JPEG specification); libtiff tif_jpeg.c
 */
export class JpegSegments implements SegmentDecoder {
  readonly #segments: TiffSegments;
  readonly #directory: TiffDirectory;
  readonly #warn: Warn;
  readonly #arena: PixelArena | undefined;
  readonly #tables: JpegTables | undefined;
  readonly #colour: JpegColour;

  /** @throws {CodedError} `image_format_unsupported`, `image_too_complex`, and what the tables' segments may give. */
  constructor(segments: TiffSegments, directory: TiffDirectory, warn: Warn, arena: PixelArena | undefined) {
    if (segments.across * segments.down > maxTiffJpegSegments) {
      throw tooComplex('tiff', `${segments.across * segments.down} strips or tiles by JPEG`);
    }
    const { jpegTables } = directory;
    if (jpegTables && jpegTables.length > maxJpegTablesBytes) {
      throw tooComplex('tiff', `${jpegTables.length} bytes of JPEG tables`);
    }
    this.#segments = segments;
    this.#directory = directory;
    this.#warn = warn;
    this.#arena = arena;
    this.#tables = jpegTables && parseJpegTables(jpegTables);
    this.#colour = chooseColour(directory);
  }

  decode(column: number, row: number, window: PixelWindow, write: WriteSegmentRow): void {
    if (this.#segments.planes > 1) {
      this.#decodePlanes(column, row, window, write);
      return;
    }
    const isInverted = this.#directory.photometric === tiffPhotometric.whiteIsZero;
    this.#decodeStream(column, row, 0, this.#colour, window, (rgb, y) => {
      if (isInverted) for (let i = window.left * 3; i < window.right * 3; i++) rgb[i] = 255 - rgb[i]!;
      write(rgb, y);
    });
  }

  /** One plane after the other: what the window shows of them is held. */
  #decodePlanes(column: number, row: number, window: PixelWindow, write: WriteSegmentRow): void {
    const { planes } = this.#segments;
    const rowBytes = window.right * planes;
    const size = (window.bottom - window.top) * rowBytes;
    if (size > maxTiffBandBytes) throw tooComplex('tiff', 'planes of JPEG need too much memory');
    const samples = new Uint8Array(size);
    for (let plane = 0; plane < planes; plane++) {
      this.#decodeStream(column, row, plane, 'grey', window, (rgb, y) => {
        let to = (y - window.top) * rowBytes + window.left * planes + plane;
        for (let x = window.left; x < window.right; x++, to += planes) samples[to] = rgb[x * 3]!;
      });
    }
    const directory = { ...this.#directory, samplesPerPixel: planes };
    const isYCbCr = directory.photometric === tiffPhotometric.yCbCr;
    const convert = isYCbCr ? createDeclaredConversion(directory) : undefined;
    const rgb = new Uint8Array(window.right * 3);
    for (let y = window.top; y < window.bottom; y++) {
      const line = samples.subarray((y - window.top) * rowBytes, (y - window.top + 1) * rowBytes);
      if (convert === undefined) toRgb(line, directory, window.left, window.right, rgb);
      else {
        for (let i = window.left * 3; i < window.right * 3; i += 3)
          convert(line[i]!, line[i + 1]!, line[i + 2]!, rgb, i);
      }
      write(rgb, y);
    }
  }

  #decodeStream(
    column: number,
    row: number,
    plane: number,
    colour: JpegColour,
    window: PixelWindow,
    writeRow: WriteSegmentRow,
  ): void {
    const bytes = this.#segments.bytesOf(column, row, plane);
    const mark = this.#arena?.mark();
    decodeJpeg(
      bytes,
      { window, writeRow },
      {
        arena: this.#arena,
        warn: this.#warn,
        container: {
          tables: this.#tables,
          colour,
          upsampling: 'default',
          assertFrame: (frame) => this.#assertFits(frame, row, window),
        },
      },
    );
    if (mark !== undefined) this.#arena?.rewind(mark);
  }

  /**
   * A stream may be smaller than its segment. A larger one is refused, because its pixels are not shown. The last
   * strip may be larger: some writers give it as many rows as the others.
   */
  #assertFits({ width, height, components }: JpegFrame, row: number, window: PixelWindow): void {
    const { width: segmentWidth, height: segmentHeight, down } = this.#segments;
    const isLastStrip = !this.#directory.tiled && row === down - 1;
    const expected = this.#directory.planarConfiguration === 2 ? 1 : this.#directory.samplesPerPixel;
    if (components.length !== expected) {
      throw malformed('tiff', `a JPEG of ${components.length} components where ${expected} are declared`);
    }
    const isTooLarge = width > segmentWidth || (height > segmentHeight && !isLastStrip);
    if (isTooLarge || width < window.right || height < window.bottom) {
      throw malformed('tiff', `a JPEG of ${width} x ${height} in ${segmentWidth} x ${segmentHeight} pixels`);
    }
  }
}

/** libtiff takes the colours as declared, whatever the stream's markers say. */
function chooseColour({ photometric, samplesPerPixel, extraSample }: TiffDirectory): JpegColour {
  switch (photometric) {
    case tiffPhotometric.yCbCr:
      return samplesPerPixel === 1 ? 'grey' : 'ycc';
    case tiffPhotometric.rgb:
      return extraSample === 1 && samplesPerPixel === 4 ? 'multiplied' : 'rgb';
    case tiffPhotometric.cmyk:
      return 'ink';
    case tiffPhotometric.palette:
    case tiffPhotometric.cieLab:
      throw unsupported('tiff', `JPEG of photometric ${photometric}`);
    default:
      return 'grey';
  }
}
