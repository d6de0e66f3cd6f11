/**
 * Where dav1d keeps the symbol decoder of a tile, in words: the next byte to read, the end of the tile's bytes, a window
 * of bits, the range, which is 0x8000 to 0xffff, and the bits that are left in the window. @see dav1d src/msac.h, `MsacContext`
 */
const coderAt = { position: 0, end: 1, range: 3, bitsLeft: 4 } as const;
const minRange = 0x8000;
const maxRange = 0xffff;
/** What `bitsLeft` is, with nothing left, where a tile's last symbol ends with its last byte. */
const emptyBits = -14;

/**
 * Looks at how the tiles of a picture ended. Behind its last symbol a tile has a bit that is 1 and then zeros: data that
 * is damaged leads to another place. libaom refuses a file for it; dav1d shows what it has made of it, and Pillow's dav1d
 * refuses it only if it reads beyond the end of a tile, for which this build does not look.
 *
 * @see AV1 section 8.2.4 (exit process for symbol decoder); dav1d src/decode.c, `check_trailing_bits_after_symbol_coder`
 */
export class TileEnds {
  readonly #memory: WebAssembly.Memory;
  /** Words at which symbol decoders were found last. */
  #found: readonly number[] = [];

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory;
  }

  /**
   * @param start address of the bytes of the picture that was decoded last; they lie in [start, end).
   * @returns false if a tile does not end as it should, or none was decoded.
   */
  areWhole(start: number, end: number): boolean {
    const words = new Uint32Array(this.#memory.buffer);
    // Of a grid, all pictures are mostly decoded at the same place.
    const isKnown = this.#found.length > 0 && this.#found.every((at) => isCoderOf(words, at, start, end));
    if (!isKnown) this.#found = findCoders(words, start, end);
    const bytes = new Uint8Array(this.#memory.buffer);
    const areWhole = this.#found.every((at) => isWhole(words, bytes, at));
    // Those that the next picture does not use are not its own.
    for (const at of this.#found) words[at + coderAt.end] = 0;
    return areWhole && this.#found.length > 0;
  }
}

/** Walks over all that the heap has: it is compared with as little as possible. */
function findCoders(words: Uint32Array, start: number, end: number): number[] {
  const found: number[] = [];
  const last = words.length - coderAt.bitsLeft;
  for (let at = 0; at < last; at++) {
    const position = words[at]!;
    if (position > start && position <= end && isCoderOf(words, at, start, end)) found.push(at);
  }
  return found;
}

function isCoderOf(words: Uint32Array, at: number, start: number, end: number): boolean {
  const position = words[at + coderAt.position]!;
  const tileEnd = words[at + coderAt.end]!;
  const range = words[at + coderAt.range]!;
  return position > start && tileEnd >= position && tileEnd <= end && range >= minRange && range <= maxRange;
}

function isWhole(words: Uint32Array, bytes: Uint8Array, at: number): boolean {
  const bitsRead = emptyBits - (words[at + coderAt.bitsLeft]! | 0);
  // It has read beyond the end.
  if (bitsRead > 0) return false;
  const next = words[at + coderAt.position]! + ((bitsRead + 7) >> 3);
  const marker = 0x80 >> ((bitsRead - 1) & 7);
  const end = words[at + coderAt.end]!;
  return (
    (bytes[next - 1]! & (2 * marker - 1)) === marker && bytes.subarray(next, end).every((byte) => byte === 0)
  );
}
