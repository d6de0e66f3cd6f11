import type { Orientation } from './image.ts';

const orientationTag = 0x0112;
const exifPrefixBytes = 6;
/** Byte order and the number 42, which some writers put in the other order. */
const tiffMarks = ['II*\0', 'MM\0*', 'II\0*', 'MM*\0'];
const xmpProperty = [...'tiff:Orientation'].map((letter) => letter.charCodeAt(0));
const bytesPerEntry = 12;
/** Bytes of one value, by field type. @see TIFF 6.0 section 2 (types) and TIFF supplement 1 (IFD) */
const bytesOfType = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4];

/**
 * Finds the orientation in a TIFF structure, which is what Exif is made of. Never throws: metadata that
 * cannot be read means an upright image. (Pillow agrees for entries that are damaged, and refuses the whole image
 * for a damaged byte-order mark.) Of an orientation that is declared to have several values, the first counts.
 *
 * @param exif from the byte-order mark ("II" or "MM") on; "Exif\0\0" may stand in front of it, even twice.
 * @returns undefined if the structure holds no orientation; 1 if it is no number that means anything, or if this is
 *   no TIFF structure.
 * @see CIPA DC-008 (Exif 2.32) 4.6.2 and TIFF 6.0 section 2; Pillow TiffImagePlugin.py, `ImageFileDirectory_v2`
 */
export function parseExifOrientation(exif: Uint8Array): Orientation | undefined {
  let tiff = exif;
  for (let i = 0; i < 2 && hasExifPrefix(tiff); i++) tiff = tiff.subarray(exifPrefixBytes);
  if (tiff.length === 0) return undefined;
  if (tiff.length < 8 || !tiffMarks.includes(String.fromCharCode(...tiff.subarray(0, 4)))) return 1;
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  const littleEndian = view.getUint16(0) === 0x4949;
  const directory = view.getUint32(4, littleEndian);
  if (directory + 2 > tiff.length) return undefined;

  const entries = view.getUint16(directory, littleEndian);
  let pointedBytes = 0;
  for (let i = 0; i < entries; i++) {
    const entry = directory + 2 + i * bytesPerEntry;
    if (entry + bytesPerEntry > tiff.length) return undefined;
    const type = view.getUint16(entry + 2, littleEndian);
    const length = (bytesOfType[type] ?? 0) * view.getUint32(entry + 4, littleEndian);
    if (length === 0) continue;
    const isPointer = length > 4;
    const at = isPointer ? view.getUint32(entry + 8, littleEndian) : entry + 8;
    if (isPointer) {
      // What cannot be true is passed over; at what is cut off, whatever it is, reading ends.
      pointedBytes += length;
      if (pointedBytes > tiff.length) continue;
      if (at + length > tiff.length) return undefined;
    }
    if (view.getUint16(entry, littleEndian) !== orientationTag) continue;
    return toOrientation(readInteger(view, at, type, littleEndian));
  }
  return undefined;
}

function hasExifPrefix(bytes: Uint8Array): boolean {
  const [e, x, i, f, end, padding] = bytes;
  return e === 0x45 && x === 0x78 && i === 0x69 && f === 0x66 && end === 0 && padding === 0;
}

/** @returns 0 for types that hold no integers; BYTE and UNDEFINED are strings of bytes to Pillow. */
function readInteger(view: DataView, at: number, type: number, littleEndian: boolean): number {
  switch (type) {
    case 3:
      return view.getUint16(at, littleEndian);
    case 4:
    case 13:
      return view.getUint32(at, littleEndian);
    case 6:
      return view.getInt8(at);
    case 8:
      return view.getInt16(at, littleEndian);
    case 9:
      return view.getInt32(at, littleEndian);
    default:
      return 0;
  }
}

/**
 * Finds `tiff:Orientation` in an XMP packet, which Pillow consults when Exif is silent.
 *
 * @see Adobe XMP specification part 2, section 3.2 (TIFF properties).
 */
export function parseXmpOrientation(packet: Uint8Array): Orientation | undefined {
  // Found among the bytes: a packet may have megabytes, and is not worth a string for one digit.
  for (let at = findProperty(packet, 0); at >= 0; at = findProperty(packet, at + 1)) {
    const value = at + xmpProperty.length;
    const behind = String.fromCharCode(...packet.subarray(value, value + 3));
    const digit = /^(?:="|>)([0-9])/.exec(behind)?.[1];
    if (digit !== undefined) return toOrientation(Number(digit));
  }
  return undefined;
}

/** @returns where the property's name stands next, or -1. */
function findProperty(packet: Uint8Array, from: number): number {
  const isThere = (at: number) => xmpProperty.every((letter, i) => packet[at + i] === letter);
  let at = packet.indexOf(xmpProperty[0]!, from);
  while (at >= 0 && !isThere(at)) at = packet.indexOf(xmpProperty[0]!, at + 1);
  return at;
}

/** Values outside 1 to 8 mean nothing and leave the image as it is. */
export function toOrientation(value: number): Orientation {
  return value >= 1 && value <= 8 ? (value as Orientation) : 1;
}
