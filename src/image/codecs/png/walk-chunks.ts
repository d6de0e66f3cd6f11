/** A chunk's data lies in [start, end); its type stands before, its CRC behind. The file may end before `end`. */
export interface PngChunk {
  /** The four letters as the 32-bit number that they are in the file. */
  readonly type: number;
  readonly start: number;
  readonly end: number;
}

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
const chunkHeaderBytes = 8;
export const crcBytes = 4;

/**
 * The chunks of a file up to IEND, which comes too. Of a file that was cut the last may be incomplete.
 *
 * @see PNG third edition, 5.3 (chunk layout)
 */
export function* walkChunks(bytes: Uint8Array): Generator<PngChunk, undefined> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = signatureBytes; at + chunkHeaderBytes <= bytes.length; ) {
    const start = at + chunkHeaderBytes;
    const end = start + view.getUint32(at);
    const type = view.getUint32(at + 4);
    yield { type, start, end };
    if (type === chunkType.end) return;
    at = end + crcBytes;
  }
}

function toType(letters: string): number {
  return [...letters].reduce((type, letter) => type * 256 + letter.charCodeAt(0), 0);
}
