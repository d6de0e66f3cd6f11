import type { PixelArena } from '../../../pixel-arena.ts';
import type { BitReader } from '../bit-reader.ts';
import { blockSize } from '../frame.ts';
import { maxBlocksPerMcu } from '../scan-header.ts';
import { scanLayout } from './layout.ts';
import type { ScanState } from './scan-state.ts';

/**
 * Most bytes that one MCU can take: in each block 64 coefficients, each with a code of 16 bits and a value of 15, counted as
 * 16; and 8 bytes that are fetched ahead.
 */
const maxMcuBytes = (maxBlocksPerMcu * blockSize * (16 + 16)) / 8 + 8;
/**
 * Bytes below the window's last byte. If the data is too short, an MCU may read them before it is given up; `unstuff`
 * may write 16 of them.
 */
const marginBytes = maxMcuBytes + 16;
/** The margin, and the unread bytes that are left when another chunk is added. */
const windowOverheadBytes = marginBytes + maxMcuBytes;

/**
 * Zeros that stand behind the segment's end: as many as a progressive MCU may take, and 8 bytes that are fetched ahead.
 * An MCU that is given up there has given its coefficients the same values as `JpegScan`, which then begins it again.
 */
const zeroBytes = (blockSize * (16 + 1 + 1)) / 8 + 8;

/** Bytes that a `SegmentWindow` allocates. */
export function segmentWindowBytes(chunkBytes: number): number {
  return windowOverheadBytes + 2 * chunkBytes;
}

/**
 * A window of a scan's current entropy-coded segment in linear memory, without stuffing and in reverse order, as the
 * routines read it. It begins at the top and grows down. Before more bytes are added, the unread ones move up. So the
 * window never holds more than an MCU can take and a chunk of the file. After a routine gives up, a `BitReader` can go on.
 */
export class SegmentWindow {
  readonly #state: ScanState;
  readonly #arena: PixelArena;
  readonly #bytes: Uint8Array;
  readonly #chunk: Uint8Array;
  /** Range of the file that stands in `#chunk`. */
  #chunkStart = 0;
  #chunkEnd = 0;
  /** Address of the window's first byte. */
  readonly #top: number;
  /** Where the segment begins in the file, and where the bytes begin that were not taken yet. */
  #segmentStart = 0;
  #rest = 0;
  /** Bytes of the segment that have already left the window. */
  #passed = 0;

  /** @param chunkBytes how much of the file is taken into linear memory at a time. */
  constructor(state: ScanState, arena: PixelArena, bytes: Uint8Array, chunkBytes: number) {
    this.#state = state;
    this.#arena = arena;
    this.#bytes = bytes;
    this.#chunk = arena.allocateView(chunkBytes);
    const windowBytes = windowOverheadBytes + chunkBytes;
    this.#top = arena.allocate(windowBytes) + windowBytes - 1;
  }

  /** The next segment to decode begins at `position` in the file. */
  enter(position: number): void {
    this.#segmentStart = position;
    this.#rest = position;
    this.#passed = 0;
    this.#state.clearBits();
    this.#state.set(scanLayout.position, this.#top);
    this.#state.set(scanLayout.end, this.#top + 1);
    this.#state.set(scanLayout.stop, this.#top + 1);
  }

  /**
   * Runs a routine over MCUs of a row.
   *
   * @param routine returns 1 if it gave up an MCU.
   * @param mcu index in its row of the first MCU.
   * @param end index behind the last.
   * @param reader is moved to where the routine stopped: before the MCU that was given up, or behind all data that was
   *   read, which holds no marker.
   * @returns `end`; or the first MCU that was given up, because its data is damaged or ends.
   */
  decode(routine: (scan: number) => number, mcu: number, end: number, reader: BitReader): number {
    this.#state.set(scanLayout.mcu, mcu);
    this.#state.set(scanLayout.mcuEnd, end);
    for (;;) {
      if (this.#state.get(scanLayout.position) < this.#state.get(scanLayout.stop)) this.#fill();
      const isGivenUp = routine(this.#state.address) !== 0;
      const next = this.#state.get(scanLayout.mcu);
      if (isGivenUp) this.#leave(reader);
      else if (next < end) continue;
      else reader.position = this.#rest;
      return next;
    }
  }

  /** Fills the window until it holds as much of the segment as an MCU can take, or all that is left. */
  #fill(): void {
    const end = this.#state.get(scanLayout.end);
    const position = this.#state.get(scanLayout.position);
    const shift = this.#top - position;
    this.#arena.bytes.copyWithin(end + shift, end, position + 1);
    this.#passed += shift;
    this.#state.set(scanLayout.position, this.#top);

    this.#loadChunk();
    const from = this.#chunk.byteOffset + this.#rest - this.#chunkStart;
    const available = this.#chunkEnd - this.#rest;
    const to = end + shift - 1;
    const taken = this.#arena.routines.unstuff(this.#state.address, from, from + available, to) - from;
    this.#rest += taken;
    const newEnd = end + shift - this.#state.get(scanLayout.written);
    this.#state.set(scanLayout.end, newEnd);
    // Only the last byte is uncertain: it may begin a marker.
    const isAll = taken < available - 1 || this.#rest + 1 >= this.#bytes.length;
    if (isAll) this.#arena.bytes.fill(0, newEnd - zeroBytes, newEnd);
    this.#state.set(scanLayout.stop, isAll ? 0 : newEnd + maxMcuBytes);
  }

  /** Fills the chunk until it holds two more bytes, if there are two. */
  #loadChunk(): void {
    const isThere =
      this.#rest >= this.#chunkStart &&
      (this.#rest + 1 < this.#chunkEnd || this.#chunkEnd === this.#bytes.length);
    if (isThere) return;
    const part = this.#bytes.subarray(this.#rest, this.#rest + this.#chunk.length);
    this.#chunk.set(part);
    this.#chunkStart = this.#rest;
    this.#chunkEnd = this.#rest + part.length;
  }

  #leave(reader: BitReader): void {
    const fetched = this.#passed + this.#top - this.#state.get(scanLayout.position);
    reader.seek(this.#segmentStart, fetched * 8 - this.#state.get(scanLayout.count));
  }
}
