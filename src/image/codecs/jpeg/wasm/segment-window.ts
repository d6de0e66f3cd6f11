import type { PixelArena } from '../../../pixel-arena.ts';
import type { BitReader } from '../bit-reader.ts';
import { blockSize } from '../frame.ts';
import { maxBlocksPerMcu } from '../scan-header.ts';
import { scanLayout } from './layout.ts';
import type { ScanState } from './scan-state.ts';

/**
 * The most that one MCU can take: in each block 64 coefficients of a code of 16 bits and a value of 15; and what is
 * fetched ahead.
 */
const maxMcuBytes = (maxBlocksPerMcu * blockSize * (16 + 16)) / 8 + 8;
/**
 * Below the window's last byte: what an MCU may read that the data is too short for, before it is given up, or 16 bytes
 * that `unstuff` may write.
 */
const marginBytes = maxMcuBytes + 16;
/** And of the bytes themselves, what is left of those before, when as much as a chunk is added. */
const windowOverheadBytes = marginBytes + maxMcuBytes;

/**
 * Behind the segment's end stand so many zeros: what a progressive MCU may take, with what is fetched ahead. An MCU that
 * is given up there has made of its coefficients what `JpegScan` makes of them, which then begins it again.
 */
const zeroBytes = (blockSize * (16 + 1 + 1)) / 8 + 8;

/** What a `SegmentWindow` allocates. */
export function segmentWindowBytes(chunkBytes: number): number {
  return windowOverheadBytes + 2 * chunkBytes;
}

/**
 * The entropy-coded segment that a scan is in, in linear memory: without stuffing and in reverse order, as the routines
 * read it. It begins at the top and grows down; what is left of it is moved up before more is added, so that never more
 * stands there than what an MCU can take and a chunk of the file. What a routine gives up, a `BitReader` can go on with.
 */
export class SegmentWindow {
  readonly #state: ScanState;
  readonly #arena: PixelArena;
  readonly #bytes: Uint8Array;
  readonly #chunk: Uint8Array;
  /** What part of the file stands in `#chunk`. */
  #chunkStart = 0;
  #chunkEnd = 0;
  /** Address of the window's first byte. */
  readonly #top: number;
  /** Where the segment begins in the file, and what was not taken of it yet. */
  #segmentStart = 0;
  #rest = 0;
  /** Bytes of the segment that were in the window before those that are. */
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
   * @param reader is put where the segment was left: before the MCU that was given up; else behind all data that was
   *   taken, which holds no marker.
   * @returns `end`; or the first MCU that was given up, because its data is damaged or ends.
   */
  decode(routine: (scan: number) => number, mcu: number, end: number, reader: BitReader): number {
    this.#state.set(scanLayout.mcu, mcu);
    this.#state.set(scanLayout.mcuEnd, end);
    for (;;) {
      if (this.#state.get(scanLayout.position) < this.#state.get(scanLayout.stop)) this.#move();
      const isGivenUp = routine(this.#state.address) !== 0;
      const next = this.#state.get(scanLayout.mcu);
      if (isGivenUp) this.#leave(reader);
      else if (next < end) continue;
      else reader.position = this.#rest;
      return next;
    }
  }

  /** Fills the window until it holds as much of the segment as an MCU can take, or all that is left. */
  #move(): void {
    const end = this.#state.get(scanLayout.end);
    const position = this.#state.get(scanLayout.position);
    const shift = this.#top - position;
    this.#arena.bytes.copyWithin(end + shift, end, position + 1);
    this.#passed += shift;
    this.#state.set(scanLayout.position, this.#top);

    this.#load();
    const from = this.#chunk.byteOffset + this.#rest - this.#chunkStart;
    const available = this.#chunkEnd - this.#rest;
    const to = end + shift - 1;
    const taken = this.#arena.routines.unstuff(this.#state.address, from, from + available, to) - from;
    this.#rest += taken;
    const newEnd = end + shift - this.#state.get(scanLayout.written);
    this.#state.set(scanLayout.end, newEnd);
    // For the last byte alone it is not known whether it begins a marker.
    const isAll = taken < available - 1 || this.#rest + 1 >= this.#bytes.length;
    if (isAll) this.#arena.bytes.fill(0, newEnd - zeroBytes, newEnd);
    this.#state.set(scanLayout.stop, isAll ? 0 : newEnd + maxMcuBytes);
  }

  /** Fills the chunk until it holds two more bytes, if there are two. */
  #load(): void {
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
