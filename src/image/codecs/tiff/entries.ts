import { malformed, truncated } from '../../image-error.ts';

/** Field types. @see TIFF 6.0 section 2 (types); the BigTIFF design for those from 16 on */
const fieldType = {
  byte: 1,
  short: 3,
  long: 4,
  rational: 5,
  signedShort: 8,
  signedLong: 9,
  float: 11,
  double: 12,
  directory: 13,
  long8: 16,
  directory8: 18,
} as const;

const bytesOfType: ReadonlyMap<number, number> = new Map([
  [fieldType.byte, 1],
  [fieldType.short, 2],
  [fieldType.long, 4],
  [fieldType.rational, 8],
  [fieldType.signedShort, 2],
  [fieldType.signedLong, 4],
  [fieldType.float, 4],
  [fieldType.double, 8],
  [fieldType.directory, 4],
  [fieldType.long8, 8],
  [fieldType.directory8, 8],
]);

/** How a directory is laid out. @see TIFF 6.0 section 2 (image file directory); the BigTIFF design */
interface DirectoryLayout {
  readonly offsetBytes: 4 | 8;
  /** Of the number of entries. */
  readonly countBytes: 2 | 8;
  readonly entryBytes: 12 | 20;
}
const classicLayout: DirectoryLayout = { offsetBytes: 4, countBytes: 2, entryBytes: 12 };
const bigLayout: DirectoryLayout = { offsetBytes: 8, countBytes: 8, entryBytes: 20 };
/** Where TIFF has 42: offsets of 64 bits follow. */
const bigTiffVersion = 43;

/** The values of one field, read where they lie in the file: an array of a million offsets is not copied. */
export class FieldValues {
  readonly length: number;
  readonly #view: DataView;
  readonly #littleEndian: boolean;
  readonly #type: number;
  readonly #start: number;

  constructor(view: DataView, littleEndian: boolean, type: number, start: number, length: number) {
    this.#view = view;
    this.#littleEndian = littleEndian;
    this.#type = type;
    this.#start = start;
    this.length = length;
  }

  /** The value at `index`; undefined behind the last. An offset of 64 bits beyond 2^53 is rounded. */
  at(index: number): number | undefined {
    if (index >= this.length) return undefined;
    const view = this.#view;
    const at = this.#start + index * (bytesOfType.get(this.#type) ?? 0);
    const little = this.#littleEndian;
    switch (this.#type) {
      case fieldType.byte:
        return view.getUint8(at);
      case fieldType.short:
        return view.getUint16(at, little);
      case fieldType.signedShort:
        return view.getInt16(at, little);
      case fieldType.signedLong:
        return view.getInt32(at, little);
      case fieldType.rational:
        return view.getUint32(at, little) / view.getUint32(at + 4, little);
      case fieldType.float:
        return view.getFloat32(at, little);
      case fieldType.double:
        return view.getFloat64(at, little);
      case fieldType.long8:
      case fieldType.directory8:
        return Number(view.getBigUint64(at, little));
      default:
        return view.getUint32(at, little);
    }
  }

  /** The first `maxCount` values. */
  toArray(maxCount: number): number[] {
    return Array.from({ length: Math.min(this.length, maxCount) }, (_, index) => this.at(index) ?? 0);
  }
}

/**
 * The entries of the first image file directory, in a TIFF or a BigTIFF. The last of two with one tag counts.
 *
 * @see TIFF 6.0 section 2; https://www.awaresystems.be/imaging/tiff/bigtiff.html
 */
export class TiffEntries {
  readonly littleEndian: boolean;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #layout: DirectoryLayout;
  readonly #entryOfTag = new Map<number, number>();

  /** @throws {CodedError} `image_malformed`, `image_truncated`. */
  constructor(bytes: Uint8Array) {
    if (bytes.length < 8) throw truncated('tiff', 'inside its header');
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.littleEndian = bytes[0] === 0x49;
    const isBig = this.#view.getUint16(2, this.littleEndian) === bigTiffVersion;
    this.#layout = isBig ? bigLayout : classicLayout;
    if (isBig) this.#assertBigHeader();
    this.#readEntries(this.#readOffset(isBig ? 8 : 4));
  }

  has(tag: number): boolean {
    return this.#entryOfTag.has(tag);
  }

  /**
   * The values of a field; none if it is absent or of a type that has no numbers.
   *
   * @throws {CodedError} `image_truncated` if they lie outside the file.
   */
  values(tag: number): FieldValues {
    const entry = this.#entryOfTag.get(tag);
    const type = entry === undefined ? 0 : this.#view.getUint16(entry + 2, this.littleEndian);
    const bytesPerValue = bytesOfType.get(type);
    if (entry === undefined || bytesPerValue === undefined) {
      return new FieldValues(this.#view, this.littleEndian, fieldType.byte, 0, 0);
    }
    const { start, count } = this.#locate(entry, bytesPerValue);
    if (start + count * bytesPerValue > this.#bytes.length) {
      throw truncated('tiff', 'inside a field of its directory');
    }
    return new FieldValues(this.#view, this.littleEndian, type, start, count);
  }

  /** The first value of a field. */
  value(tag: number, byDefault: number): number {
    return this.values(tag).at(0) ?? byDefault;
  }

  /** A field of bytes of any type; undefined if it is absent or lies outside the file: it is not needed for pixels. */
  bytesOf(tag: number): Uint8Array | undefined {
    const entry = this.#entryOfTag.get(tag);
    if (entry === undefined) return undefined;
    const { start, count } = this.#locate(entry, 1);
    return start + count <= this.#bytes.length ? this.#bytes.subarray(start, start + count) : undefined;
  }

  #assertBigHeader(): void {
    if (this.#bytes.length < 16) throw truncated('tiff', 'inside its header');
    const offsetBytes = this.#view.getUint16(4, this.littleEndian);
    if (offsetBytes !== 8) throw malformed('tiff', `offsets of ${offsetBytes} bytes`);
  }

  #readEntries(start: number): void {
    const { countBytes, entryBytes, offsetBytes } = this.#layout;
    if (start < offsetBytes * 2) throw malformed('tiff', 'its directory lies inside the header');
    if (start + countBytes > this.#bytes.length) throw truncated('tiff', 'before its directory');
    const first = start + countBytes;
    const entries =
      countBytes === 2 ? this.#view.getUint16(start, this.littleEndian) : this.#readOffset(start);
    if (first + entries * entryBytes > this.#bytes.length) throw truncated('tiff', 'inside its directory');
    for (let i = 0; i < entries; i++) {
      const entry = first + i * entryBytes;
      this.#entryOfTag.set(this.#view.getUint16(entry, this.littleEndian), entry);
    }
  }

  /** Few values stand in the entry itself, in the place of their offset. */
  #locate(entry: number, bytesPerValue: number): { start: number; count: number } {
    const { offsetBytes } = this.#layout;
    const count = this.#readOffset(entry + 4);
    const place = entry + 4 + offsetBytes;
    return { start: count * bytesPerValue <= offsetBytes ? place : this.#readOffset(place), count };
  }

  #readOffset(at: number): number {
    if (this.#layout.offsetBytes === 4) return this.#view.getUint32(at, this.littleEndian);
    return Number(this.#view.getBigUint64(at, this.littleEndian));
  }
}
