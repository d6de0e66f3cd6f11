import { maxTiffCopiedBytes, maxTiffSegmentBytes, maxTiffSegments } from '../../../limits.ts';
import { malformed, tooComplex, truncated } from '../../image-error.ts';
import { type TiffDirectory, tiffCompression } from './directory.ts';
import { colourSamples } from './pixel-layout.ts';
import { reverseBits } from './reverse-bits.ts';

/**
 * Where the strips or tiles of an image are. A strip is a tile as wide as the image. Planes follow each other, each
 * with all its segments.
 *
 * @see TIFF 6.0 sections 3 (strips) and 15 (tiles)
 */
export class TiffSegments {
  /** Pixels of a segment. What lies beyond the image is padding: tiles have it, strips do not. */
  readonly width: number;
  readonly height: number;
  /** Segments side by side, and one below the other. */
  readonly across: number;
  readonly down: number;
  readonly #bytes: Uint8Array;
  readonly #directory: TiffDirectory;

  /** @throws {CodedError} `image_malformed`, `image_too_complex`. */
  constructor(bytes: Uint8Array, directory: TiffDirectory) {
    const { segmentWidth, segmentHeight, width, height } = directory;
    if (!(segmentWidth >= 1 && segmentHeight >= 1)) {
      throw malformed('tiff', `tiles of ${segmentWidth} x ${segmentHeight} pixels`);
    }
    this.width = segmentWidth;
    this.height = segmentHeight;
    this.across = Math.ceil(width / segmentWidth);
    this.down = Math.ceil(height / segmentHeight);
    if (this.across * this.down > maxTiffSegments) {
      throw tooComplex('tiff', `${this.across * this.down} strips or tiles`);
    }
    this.#bytes = hasReversedCode(directory) ? toReversed(bytes) : bytes;
    this.#directory = directory;
  }

  /** Planes that are decoded. */
  get planes(): number {
    return this.#directory.planarConfiguration === 2 ? colourSamples(this.#directory) : 1;
  }

  /** Rows of a segment that hold pixels. */
  rowsIn(row: number): number {
    return Math.min(this.height, this.#directory.height - row * this.height);
  }

  /** Rows that a segment's data holds. */
  codedRowsIn(row: number): number {
    return this.#directory.tiled ? this.height : this.rowsIn(row);
  }

  /**
   * A file that was cut lacks some segment, perhaps one outside the window. Damage inside a segment is seen only if
   * the segment is read.
   *
   * @param plainBytes of a segment without compression that has so many rows: byte counts of such are redundant, and
   *   now and then wrong.
   */
  assertPresent(plainBytes: (rows: number) => number): void {
    const { offsets, byteCounts, compression } = this.#directory;
    const perPlane = this.across * this.down;
    if (offsets.length < perPlane * this.planes) {
      throw malformed('tiff', `strip or tile ${offsets.length} is missing`);
    }
    const { length } = this.#bytes;
    let total = 0;
    for (let index = 0; index < perPlane * this.planes; index++) {
      const row = Math.floor((index % perPlane) / this.across);
      const start = offsets.at(index) ?? 0;
      const isPlain = compression === tiffCompression.none;
      const byteCount = isPlain ? plainBytes(this.rowsIn(row)) : (byteCounts.at(index) ?? 1);
      if (start + byteCount > length) throw truncated('tiff', 'inside its pixel data');
      if (isPlain) continue;
      total += this.#endOf(index) - start;
      if (total > maxTiffSegmentBytes(length)) throw tooComplex('tiff', 'its strips or tiles overlap');
    }
  }

  /** The bytes of one segment. Without compression they end with the file. */
  bytesOf(column: number, row: number, plane: number): Uint8Array {
    const { offsets, compression } = this.#directory;
    const index = (plane * this.down + row) * this.across + column;
    const end = compression === tiffCompression.none ? this.#bytes.length : this.#endOf(index);
    return this.#bytes.subarray(offsets.at(index) ?? 0, end);
  }

  /** Where the code of a segment ends. Without a byte count it ends with the next one's begin, or with the file. */
  #endOf(index: number): number {
    const { offsets, byteCounts } = this.#directory;
    const start = offsets.at(index) ?? 0;
    const byteCount = byteCounts.at(index) ?? 0;
    if (byteCount > 0) return start + byteCount;
    const next = offsets.at(index + 1) ?? 0;
    return next > start && next < this.#bytes.length ? next : this.#bytes.length;
  }
}

/** Codes of bits are stored the other way round; samples are turned when they are read. libjpeg's are never. */
function hasReversedCode({ fillOrder, compression }: TiffDirectory): boolean {
  return fillOrder === 2 && compression !== tiffCompression.none && compression !== tiffCompression.jpeg;
}

/** All at once: segments may overlap, and copying each would cost as often as they do. */
function toReversed(bytes: Uint8Array): Uint8Array {
  if (bytes.length > maxTiffCopiedBytes) {
    throw tooComplex('tiff', `${bytes.length} bytes whose bits are reversed`);
  }
  const copy = new Uint8Array(bytes.length);
  reverseBits(bytes, copy);
  return copy;
}
