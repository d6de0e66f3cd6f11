import { maxTiffRowBytes } from '../../../limits.ts';
import type { PixelWindow } from '../../image.ts';
import { tooComplex } from '../../image-error.ts';
import type { TiffDirectory } from './directory.ts';
import type { SegmentDecoder, WriteSegmentRow } from './segment-decoder.ts';
import type { TiffSegments } from './segments.ts';
import type { StripReader } from './strip-reader.ts';
import { openStrip, type ReaderOptions } from './strip-readers.ts';
import { createDeclaredConversion, type ThreeSamplesToRgb } from './ycbcr.ts';

/** Bytes of a row of units: each has all luma samples that share a pair of chroma samples, and these. */
export function unitRowBytes({ segmentWidth, chromaSubsampling: [h, v] }: TiffDirectory): number {
  return Math.ceil(segmentWidth / h) * (h * v + 2);
}

/**
 * Decodes segments of Y, Cb and Cr whose chroma is subsampled, as libtiff does: each pair stands for all its pixels
 * alike.
 *
 * @see TIFF 6.0 section 21 (ordering of component samples)
 */
export class ChromaSegments implements SegmentDecoder {
  readonly #segments: TiffSegments;
  readonly #options: ReaderOptions;
  readonly #toRgb: ThreeSamplesToRgb;
  readonly #units: Uint8Array;
  readonly #rgb: Uint8Array;
  #reader: StripReader | undefined;

  /** @throws {CodedError} `image_too_complex` if a row is too long. */
  constructor(segments: TiffSegments, options: ReaderOptions) {
    const bytes = unitRowBytes(options.directory);
    if (bytes > maxTiffRowBytes) throw tooComplex('tiff', 'its rows are too long');
    this.#segments = segments;
    this.#options = options;
    this.#toRgb = createDeclaredConversion(options.directory);
    this.#units = new Uint8Array(bytes);
    this.#rgb = new Uint8Array(segments.width * 3);
  }

  decode(column: number, row: number, window: PixelWindow, write: WriteSegmentRow): void {
    const [h, v] = this.#options.directory.chromaSubsampling;
    const contentBytes = Math.ceil(this.#segments.codedRowsIn(row) / v) * this.#units.length;
    const bytes = this.#segments.bytesOf(column, row, 0);
    this.#reader = openStrip(bytes, contentBytes, this.#reader, this.#options);
    for (let y = 0; y < window.bottom; y++) {
      if (y % v === 0) this.#reader.read(this.#units);
      if (y < window.top) continue;
      this.#convert(h, v, y % v, window.left, window.right);
      write(this.#rgb, y);
    }
  }

  #convert(h: number, v: number, line: number, left: number, right: number): void {
    const units = this.#units;
    const unitBytes = h * v + 2;
    for (let x = left; x < right; x++) {
      const unit = Math.floor(x / h) * unitBytes;
      const luma = units[unit + line * h + (x % h)]!;
      this.#toRgb(luma, units[unit + h * v]!, units[unit + h * v + 1]!, this.#rgb, x * 3);
    }
  }
}
