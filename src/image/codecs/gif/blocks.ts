import { malformed, truncated } from '../../image-error.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

const extensionIntroducer = 0x21;
const imageSeparator = 0x2c;
const trailer = 0x3b;
const graphicControlLabel = 0xf9;

/** The first image of a GIF, as its descriptor declares it. @see GIF89a section 20 */
export interface GifFrame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly interlaced: boolean;
  /** RGB triples: the local colour table, else the global one; undefined if the file has neither. */
  readonly palette: Uint8Array | undefined;
  readonly transparentIndex: number | undefined;
  /** Where the LZW minimum code size stands, followed by the data sub-blocks. */
  readonly dataStart: number;
  /** True if the data's end mark is there, so that nothing of it is missing. */
  readonly ended: boolean;
}

/** What precedes the pixels of the first frame. */
export interface GifLayout {
  readonly screenWidth: number;
  readonly screenHeight: number;
  readonly frame: GifFrame;
}

/**
 * Walks the blocks to the first image descriptor.
 *
 * @throws {CodedError} `image_malformed`, `image_truncated`.
 * @see GIF89a, appendix B (grammar)
 */
export function findFirstFrame(bytes: Uint8Array): GifLayout {
  if (bytes.length < 13) throw truncated('gif', 'no logical screen descriptor');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const screenWidth = view.getUint16(6, true);
  const screenHeight = view.getUint16(8, true);
  const globalTable = colourTable(bytes, 13, bytes[10]!);
  let position = 13 + (globalTable?.length ?? 0);
  let transparentIndex: number | undefined;

  while (position < bytes.length) {
    const introducer = bytes[position++];
    if (introducer === extensionIntroducer) {
      if (
        bytes[position] === graphicControlLabel &&
        position + 5 < bytes.length &&
        bytes[position + 1]! >= 4
      ) {
        transparentIndex = bytes[position + 2]! & 1 ? bytes[position + 5] : undefined;
      }
      position = skipSubBlocks(bytes, position + 1).end;
    } else if (introducer === imageSeparator) {
      if (position + 9 > bytes.length) throw truncated('gif', 'inside an image descriptor');
      const flags = bytes[position + 8]!;
      const localTable = colourTable(bytes, position + 9, flags);
      const dataStart = position + 9 + (localTable?.length ?? 0);
      const frame: GifFrame = {
        left: view.getUint16(position, true),
        top: view.getUint16(position + 2, true),
        width: view.getUint16(position + 4, true),
        height: view.getUint16(position + 6, true),
        interlaced: (flags & 0x40) !== 0,
        palette: localTable ?? globalTable,
        transparentIndex,
        dataStart,
        ended: skipSubBlocks(bytes, dataStart + 1).ended,
      };
      return { screenWidth, screenHeight, frame };
    } else if (introducer === trailer) {
      throw malformed('gif', 'it holds no image');
    }
    // Any other byte is noise between blocks, which Pillow skips too.
  }
  throw truncated('gif', 'no image descriptor');
}

/** @param flags the packed field: bit 7 says that there is a table, bits 0 to 2 how large. */
function colourTable(bytes: Uint8Array, start: number, flags: number): Uint8Array | undefined {
  if ((flags & 0x80) === 0) return undefined;
  const length = 3 * (2 << (flags & 7));
  if (start + length > bytes.length) throw truncated('gif', 'inside a colour table');
  return bytes.subarray(start, start + length);
}

/** @returns where the sub-blocks end, and whether the block of length 0 is there that ends them. */
function skipSubBlocks(bytes: Uint8Array, start: number): { end: number; ended: boolean } {
  let position = start;
  while (position < bytes.length) {
    const length = bytes[position++]!;
    if (length === 0) return { end: position, ended: true };
    position += length;
  }
  return { end: position, ended: false };
}
