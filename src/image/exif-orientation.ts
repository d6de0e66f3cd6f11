import type { Orientation } from './image.ts';

const orientationTag = 0x0112;
const bytesPerEntry = 12;
/** TIFF field types an orientation may come in: BYTE, SHORT, LONG. */
const byteType = 1;
const shortType = 3;
const longType = 4;

/**
 * Finds the orientation in a TIFF structure, which is what Exif is made of. Never throws: metadata that
 * cannot be read means an upright image, as in Pillow's `ImageOps.exif_transpose`.
 *
 * @param tiff from the byte-order mark ("II" or "MM") on.
 * @returns undefined if the structure holds no orientation.
 * @see CIPA DC-008 (Exif 2.32) 4.6.2 and TIFF 6.0 section 2.
 */
export function parseExifOrientation(tiff: Uint8Array): Orientation | undefined {
  if (tiff.length < 8) return undefined;
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  const byteOrder = view.getUint16(0);
  if (byteOrder !== 0x4949 && byteOrder !== 0x4d4d) return undefined;
  const littleEndian = byteOrder === 0x4949;
  const directory = view.getUint32(4, littleEndian);
  if (directory + 2 > tiff.length) return undefined;

  const entries = view.getUint16(directory, littleEndian);
  for (let i = 0; i < entries; i++) {
    const entry = directory + 2 + i * bytesPerEntry;
    if (entry + bytesPerEntry > tiff.length) return undefined;
    if (view.getUint16(entry, littleEndian) !== orientationTag) continue;
    const type = view.getUint16(entry + 2, littleEndian);
    if (type === byteType) return toOrientation(view.getUint8(entry + 8));
    if (type === shortType) return toOrientation(view.getUint16(entry + 8, littleEndian));
    if (type === longType) return toOrientation(view.getUint32(entry + 8, littleEndian));
    return undefined;
  }
  return undefined;
}

/**
 * Finds `tiff:Orientation` in an XMP packet, which Pillow consults when Exif is silent.
 *
 * @see Adobe XMP specification part 2, section 3.2 (TIFF properties).
 */
export function parseXmpOrientation(packet: Uint8Array): Orientation | undefined {
  const text = new TextDecoder('utf-8').decode(packet);
  const digit = /tiff:Orientation(?:="|>)([0-9])/.exec(text)?.[1];
  return digit === undefined ? undefined : toOrientation(Number(digit));
}

/** Values outside 1 to 8 mean nothing and leave the image as it is. */
export function toOrientation(value: number): Orientation {
  return value >= 1 && value <= 8 ? (value as Orientation) : 1;
}
