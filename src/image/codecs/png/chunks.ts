import { malformed } from '../../image-error.ts';
import { crc32 } from './crc32.ts';

/** Values of the IHDR fields. @see PNG third edition, table 12 (colour types) */
export const colourType = { grey: 0, rgb: 2, palette: 3, greyAlpha: 4, rgbAlpha: 6 } as const;

/** A chunk's data lies in [start, end); its CRC follows. */
interface ChunkRange {
  readonly start: number;
  readonly end: number;
}

/** What a PNG declares, and where its pixels lie. Nothing is inflated yet. */
export interface PngLayout {
  readonly width: number;
  readonly height: number;
  readonly bitDepth: number;
  readonly colourType: number;
  readonly interlaced: boolean;
  /** RGB triples; empty if there is none. */
  readonly palette: Uint8Array;
  /** Where the first IDAT chunk begins; the file's end if there is none. Of the others there may be a million. */
  readonly dataStart: number;
  /** True if the file goes on to IEND, so that nothing of it is missing. */
  readonly ended: boolean;
}

const allowedBitDepths: Readonly<Record<number, readonly number[]>> = {
  [colourType.grey]: [1, 2, 4, 8, 16],
  [colourType.rgb]: [8, 16],
  [colourType.palette]: [1, 2, 4, 8],
  [colourType.greyAlpha]: [8, 16],
  [colourType.rgbAlpha]: [8, 16],
};

/** Chunk types as the 32-bit numbers they are in the file. */
export const typeIdat = 0x49444154;
export const typeIend = 0x49454e44;
const typePlte = 0x504c5445;
const firstChunk = 8;
const headerEnd = 33;

/**
 * Walks the chunks and compares the checksums of the header and the palette; for those of the pixel data there is
 * `DataChecksums`. Ancillary chunks are stepped over unread, whatever they claim to inflate to.
 *
 * @param bytes a file whose IHDR is known to be there.
 * @throws {CodedError} `image_malformed`.
 * @see PNG third edition, 5.3 (chunk layout), 5.6 (ordering), 11.2 (critical chunks)
 */
export function parsePngLayout(bytes: Uint8Array): PngLayout {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  assertCrc(bytes, view, firstChunk, { start: 16, end: 29 });
  const bitDepth = bytes[24];
  const colour = bytes[25];
  if (!allowedBitDepths[colour]?.includes(bitDepth)) {
    throw malformed('png', `colour type ${colour} with ${bitDepth} bits`);
  }
  if (bytes[26] !== 0 || bytes[27] !== 0 || bytes[28] > 1) {
    throw malformed('png', 'an unknown compression, filter or interlace method');
  }

  let palette: Uint8Array = new Uint8Array(0);
  let ended = false;
  let dataStart = bytes.length;
  let position = headerEnd;
  while (position + 8 <= bytes.length) {
    const length = view.getUint32(position);
    const type = view.getUint32(position + 4);
    const range = { start: position + 8, end: position + 8 + length };
    if (type === typeIdat) {
      dataStart = Math.min(dataStart, position);
    } else if (type === typePlte) {
      if (dataStart === bytes.length && range.end + 4 <= bytes.length) {
        assertCrc(bytes, view, position, range);
        palette = bytes.subarray(range.start, range.end);
      }
    } else if (type === typeIend) {
      ended = true;
      break;
    }
    position = range.end + 4;
  }
  if (colour === colourType.palette && palette.length < 3) throw malformed('png', 'its palette is missing');
  return {
    width: view.getUint32(16),
    height: view.getUint32(20),
    bitDepth,
    colourType: colour,
    interlaced: bytes[28] === 1,
    palette,
    dataStart,
    ended,
  };
}

/** @param chunk where it begins. @throws {CodedError} `image_malformed`. */
export function assertCrc(
  bytes: Uint8Array,
  view: DataView,
  chunk: number,
  { start, end }: ChunkRange,
): void {
  if (crc32(bytes, chunk + 4, end) !== view.getUint32(end)) {
    throw malformed(
      'png',
      `the checksum of its ${String.fromCharCode(...bytes.subarray(chunk + 4, start))} is wrong`,
    );
  }
}
