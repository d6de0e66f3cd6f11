import type { InflateInput } from '../../inflate/inflate-input.ts';
import type { PixelArena } from '../../pixel-arena.ts';
import { crc32, crcTables } from './crc32.ts';
import { ChunkWalker, chunkType, crcBytes } from './walk-chunks.ts';

/** Continues a CRC-32 over so many bytes of a memory. */
type Crc32 = (memory: Uint8Array, address: number, count: number, previous: number) => number;

/** @param arena with it, WebAssembly does it, on its memory alone. */
export function toCrc32(arena: PixelArena | undefined): Crc32 {
  if (arena === undefined) {
    return (memory, address, count, previous) => crc32(memory, address, address + count, previous);
  }
  const tables = arena.allocate(crcTables.byteLength);
  new Int32Array(arena.bytes.buffer, tables, crcTables.length).set(crcTables);
  return (_, address, count, previous) => arena.routines.crc32(address, count, previous, tables) >>> 0;
}

/**
 * The content of the IDAT chunks, which together are one zlib stream. Their checksums are compared on the way.
 *
 * @see PNG third edition, 5.3 (chunk layout), 10 (compression)
 */
export class ImageDataInput implements InflateInput {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #crc32: Crc32 | undefined;
  readonly #chunks: ChunkWalker;
  /** What is left of the chunk at hand. */
  #position = 0;
  #end = 0;
  #crc = 0;
  #isIntact = true;

  /**
   * @param dataStart where the first of these chunks begins.
   * @param crc32 if it is missing, no checksum is compared: several inputs of one file need not all do it.
   */
  constructor(bytes: Uint8Array, dataStart: number, crc32?: Crc32) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#crc32 = crc32;
    this.#chunks = new ChunkWalker(bytes, dataStart);
  }

  fill(memory: Uint8Array, address: number, room: number): number {
    let filled = 0;
    while (filled < room) {
      if (this.#position === this.#end && !this.#nextChunk()) break;
      const count = Math.min(this.#end - this.#position, room - filled);
      const part = this.#bytes.subarray(this.#position, this.#position + count);
      memory.set(part, address + filled);
      if (this.#crc32) this.#crc = this.#crc32(memory, address + filled, count, this.#crc);
      this.#position += count;
      filled += count;
      if (this.#position === this.#end) this.#endChunk();
    }
    return filled;
  }

  /** Whether all checksums are right, also of data that nobody asked for. The last of a file that was cut has none. */
  finish(): boolean {
    do {
      if (this.#position < this.#end) {
        this.#crc = crc32(this.#bytes, this.#position, this.#end, this.#crc);
        this.#position = this.#end;
        this.#endChunk();
      }
    } while (this.#nextChunk());
    return this.#isIntact;
  }

  /** @returns false if no chunk of data follows. */
  #nextChunk(): boolean {
    const chunks = this.#chunks;
    while (chunks.next()) {
      if (chunks.type !== chunkType.data) continue;
      this.#position = chunks.start;
      // The last chunk may be cut by the end of the file.
      this.#end = Math.min(chunks.end, this.#bytes.length);
      if (this.#crc32) this.#crc = crc32(this.#bytes, chunks.start - 4, chunks.start);
      if (this.#position < this.#end) return true;
      this.#endChunk();
    }
    return false;
  }

  #endChunk(): void {
    const isComplete = this.#end + crcBytes <= this.#bytes.length;
    if (this.#crc32 && isComplete && this.#view.getUint32(this.#end) !== this.#crc) this.#isIntact = false;
  }
}
