import { parseExifOrientation, parseXmpOrientation } from '../exif-orientation.ts';
import type { Orientation } from '../image.ts';
import type { Box } from './boxes.ts';
import { findDescriptions, readItems } from './read-items.ts';

const xmpType = 'application/rdf+xml';
/** An Exif item says first where its TIFF structure begins. */
const exifHeaderBytes = 4;

/**
 * The orientation that Pillow takes from the XMP of an AVIF that nothing turns. Exif with an orientation counts before
 * it, and means nothing: Pillow replaces it by what `irot` and `imir` say.
 *
 * @returns 1 if there is none; of boxes that are odd, too.
 * @see Pillow AvifImagePlugin.py, `_open`; Image.py, `getexif`
 */
export function findDescribedOrientation(bytes: Uint8Array, meta: Box): Orientation {
  try {
    const described = findDescriptions(readItems(bytes, meta));
    const exif = described.findLast(({ type }) => type === 'Exif')?.extent?.subarray(exifHeaderBytes);
    if (exif && parseExifOrientation(exif) !== undefined) return 1;
    const xmp = described.findLast(({ contentType }) => contentType === xmpType)?.extent;
    return (xmp && parseXmpOrientation(xmp)) ?? 1;
  } catch (cause) {
    if (cause instanceof RangeError) return 1;
    throw cause;
  }
}
