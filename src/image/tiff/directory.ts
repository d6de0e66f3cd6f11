import { malformed, truncated } from '../image-error.ts';

const bytesPerEntry = 12;
const shortType = 3;

/** The scalar fields of the first image that decide whether and how it is decoded. */
export interface TiffDirectory {
  readonly width: number;
  readonly height: number;
  readonly orientation: number;
  readonly compression: number;
  readonly photometric: number;
  readonly samplesPerPixel: number;
}

/**
 * Reads the scalar fields of the first image file directory.
 *
 * @throws {CodedError} `image_malformed`, `image_truncated`.
 * @see TIFF 6.0 section 2 (image file directory)
 */
export function parseTiffDirectory(bytes: Uint8Array): TiffDirectory {
  if (bytes.length < 8) throw truncated('tiff', 'inside its header');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const littleEndian = bytes[0] === 0x49;
  const start = view.getUint32(4, littleEndian);
  if (start < 8) throw malformed('tiff', 'its directory lies inside the header');
  if (start + 2 > bytes.length) throw truncated('tiff', 'before its directory');
  const entries = view.getUint16(start, littleEndian);
  if (start + 2 + entries * bytesPerEntry > bytes.length) throw truncated('tiff', 'inside its directory');

  const fields = new Map<number, number>();
  for (let i = 0; i < entries; i++) {
    const entry = start + 2 + i * bytesPerEntry;
    const type = view.getUint16(entry + 2, littleEndian);
    const value =
      type === shortType ? view.getUint16(entry + 8, littleEndian) : view.getUint32(entry + 8, littleEndian);
    fields.set(view.getUint16(entry, littleEndian), value);
  }
  return {
    width: fields.get(256) ?? 0,
    height: fields.get(257) ?? 0,
    orientation: fields.get(274) ?? 1,
    compression: fields.get(259) ?? 1,
    photometric: fields.get(262) ?? 1,
    samplesPerPixel: fields.get(277) ?? 1,
  };
}
