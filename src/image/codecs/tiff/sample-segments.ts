import { maxTiffRowBytes } from '../../../limits.ts';
import type { PixelWindow } from '../../image.ts';
import { tooComplex } from '../../image-error.ts';
import { labToRgb } from './cie-lab.ts';
import { type TiffDirectory, tiffCompression, tiffPhotometric } from './directory.ts';
import { samplesInSegment, usesPredictor } from './pixel-layout.ts';
import { undoPredictor } from './predictor.ts';
import { toRgb } from './samples.ts';
import type { SegmentDecoder, WriteSegmentRow } from './segment-decoder.ts';
import type { TiffSegments } from './segments.ts';
import type { StripReader } from './strip-reader.ts';
import { openStrip, type ReaderOptions } from './strip-readers.ts';
import { convertLikePillow, createDeclaredConversion, type ThreeSamplesToRgb } from './ycbcr.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** Bytes of a row of samples without compression. */
export function sampleRowBytes(directory: TiffDirectory): number {
  return Math.ceil((directory.segmentWidth * samplesInSegment(directory) * directory.bitsPerSample[0]!) / 8);
}

/**
 * Decodes segments whose samples are coded as bytes, in rows; the planes of a segment side by side.
 */
export class SampleSegments implements SegmentDecoder {
  readonly #segments: TiffSegments;
  readonly #options: ReaderOptions;
  readonly #rowBytes: number;
  /** What the rows are when their planes are put together. */
  readonly #rowDirectory: TiffDirectory;
  readonly #readers: (StripReader | undefined)[] = [];
  readonly #planeRow: Uint8Array;
  readonly #row: Uint8Array;
  readonly #rgb: Uint8Array;
  readonly #toRgb: ThreeSamplesToRgb | undefined;

  /** @throws {CodedError} `image_too_complex` if a row is too long. */
  constructor(segments: TiffSegments, options: ReaderOptions) {
    const { directory } = options;
    this.#segments = segments;
    this.#options = options;
    this.#rowBytes = sampleRowBytes(directory);
    const { planes } = segments;
    if (this.#rowBytes * planes > maxTiffRowBytes) throw tooComplex('tiff', 'its rows are too long');
    this.#rowDirectory =
      directory.planarConfiguration === 2 ? { ...directory, samplesPerPixel: planes } : directory;
    this.#planeRow = new Uint8Array(this.#rowBytes);
    this.#row = planes === 1 ? this.#planeRow : new Uint8Array(this.#rowBytes * planes);
    this.#rgb = new Uint8Array(segments.width * 3);
    this.#toRgb = chooseConversion(this.#rowDirectory);
  }

  decode(column: number, row: number, window: PixelWindow, write: WriteSegmentRow): void {
    const { planes } = this.#segments;
    const contentBytes = this.#segments.codedRowsIn(row) * this.#rowBytes;
    for (let plane = 0; plane < planes; plane++) {
      const bytes = this.#segments.bytesOf(column, row, plane);
      this.#readers[plane] = openStrip(bytes, contentBytes, this.#readers[plane], this.#options);
    }
    for (let y = 0; y < window.bottom; y++) {
      for (let plane = 0; plane < planes; plane++) this.#readRow(plane, y >= window.top);
      if (y < window.top) continue;
      this.#convert(window.left, window.right);
      write(this.#rgb, y);
    }
  }

  #readRow(plane: number, isNeeded: boolean): void {
    const { directory } = this.#options;
    this.#readers[plane]?.read(this.#planeRow);
    if (!isNeeded) return;
    if (usesPredictor(directory.compression)) {
      undoPredictor(this.#planeRow, samplesInSegment(directory), directory);
    }
    if (this.#segments.planes === 1) return;
    const sampleBytes = directory.bitsPerSample[0]! / 8;
    interleave(
      this.#planeRow,
      sampleBytes,
      this.#row,
      plane * sampleBytes,
      this.#segments.planes * sampleBytes,
    );
  }

  #convert(left: number, right: number): void {
    const row = this.#row;
    const rgb = this.#rgb;
    const convert = this.#toRgb;
    if (convert === undefined) {
      toRgb(row, this.#rowDirectory, left, right, rgb);
      return;
    }
    for (let x = left; x < right; x++) convert(row[x * 3]!, row[x * 3 + 1]!, row[x * 3 + 2]!, rgb, x * 3);
  }
}

function chooseConversion(directory: TiffDirectory): ThreeSamplesToRgb | undefined {
  if (directory.photometric === tiffPhotometric.cieLab) return labToRgb;
  if (directory.photometric !== tiffPhotometric.yCbCr || directory.samplesPerPixel !== 3) return undefined;
  return directory.compression === tiffCompression.none
    ? convertLikePillow
    : createDeclaredConversion(directory);
}

/** Puts the samples of one plane into a row of all. */
function interleave(
  plane: Uint8Array,
  sampleBytes: number,
  row: Uint8Array,
  first: number,
  step: number,
): void {
  let to = first;
  for (let from = 0; from < plane.length; from += sampleBytes, to += step) {
    for (let byte = 0; byte < sampleBytes; byte++) row[to + byte] = plane[from + byte]!;
  }
}
