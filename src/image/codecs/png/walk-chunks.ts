export const chunkType = {
  header: toType('IHDR'),
  palette: toType('PLTE'),
  data: toType('IDAT'),
  end: toType('IEND'),
  exif: toType('eXIf'),
  text: toType('tEXt'),
  compressedText: toType('zTXt'),
  internationalText: toType('iTXt'),
} as const;

const signatureBytes = 8;
/** Length and type; behind the data stands the CRC. */
export const chunkHeaderBytes = 8;
export const crcBytes = 4;

/**
 * Goes through the chunks of a file up to IEND, which comes too. A chunk's data lies in [start, end), its CRC stands
 * behind; of a file that was cut the last may be incomplete. A file may have a million chunks, so that nothing is
 * allocated for one.
 *
 * @see PNG third edition, 5.3 (chunk layout)
 */
export class ChunkWalker {
  /** The four letters as the 32-bit number that they are in the file; 0 before the first `next`. */
  type = 0;
  start = 0;
  end: number;
  readonly #view: DataView;

  /** @param from where a chunk begins. */
  constructor(bytes: Uint8Array, from = signatureBytes) {
    this.end = from - crcBytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** @returns false behind the last chunk. */
  next(): boolean {
    const at = this.end + crcBytes;
    const start = at + chunkHeaderBytes;
    if (this.type === chunkType.end || start > this.#view.byteLength) return false;
    this.type = this.#view.getUint32(at + 4);
    this.start = start;
    this.end = start + this.#view.getUint32(at);
    return true;
  }
}

function toType(letters: string): number {
  return [...letters].reduce((type, letter) => type * 256 + letter.charCodeAt(0), 0);
}
