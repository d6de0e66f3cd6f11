import type { PixelArena } from '../../pixel-kernels/pixel-kernels.ts';
import type { BitReader } from './bit-reader.ts';
import { blockSize } from './frame.ts';
import type { HuffmanTable } from './huffman.ts';
import { componentLayout, scanBytes, scanLayout, stepsBytes, tableLayout } from './kernel-layout.ts';
import { placeSteps, placeTable } from './kernel-tables.ts';
import type { ScanComponent } from './scan.ts';

/** Bytes of the file that are taken into linear memory at a time. */
const chunkBytes = 16_384;
/** The most that one MCU can take: 10 blocks of 64 coefficients of 16 + 15 bits; and what is fetched ahead. */
const maxMcuBytes = (10 * blockSize * 32) / 8 + 8;
/** Below the window's bytes, what an MCU may read that the data is too short for, or `unstuff` write. */
const marginBytes = maxMcuBytes + 16;
const windowBytes = marginBytes + maxMcuBytes + chunkBytes;

/** What a `SequentialKernel` allocates. */
export function sequentialKernelBytes(components: number): number {
  return components * (2 * tableLayout.bytes + stepsBytes) + scanBytes + chunkBytes + windowBytes;
}

/**
 * Decodes the MCUs of a sequential scan as `JpegScan` does, in WebAssembly. Of each entropy-coded segment a window
 * stands in linear memory, without stuffing and in reverse order.
 */
export class SequentialKernel {
  readonly #arena: PixelArena;
  readonly #bytes: Uint8Array;
  readonly #components: readonly ScanComponent[];
  /** Address of the scan's state, and the same as numbers. */
  readonly #scan: number;
  readonly #state: Int32Array;
  readonly #chunk: Uint8Array;
  /** Address of the window's first byte. */
  readonly #top: number;
  /** Where the segment begins in the file, and what was not taken of it yet. */
  #segmentStart = 0;
  #rest = 0;
  /** Bytes of the segment that were in the window before those that are. */
  #passed = 0;

  /** @param block address of 64 zeros and 256 bytes more. */
  constructor(arena: PixelArena, bytes: Uint8Array, components: readonly ScanComponent[], block: number) {
    this.#arena = arena;
    this.#bytes = bytes;
    this.#components = components;
    this.#scan = arena.allocate(scanBytes);
    this.#state = new Int32Array(arena.bytes.buffer, this.#scan, scanBytes / Int32Array.BYTES_PER_ELEMENT);
    this.#chunk = arena.allocateView(chunkBytes);
    this.#top = arena.allocate(windowBytes) + windowBytes - 1;
    this.#set(scanLayout.block, block);
    this.#set(scanLayout.componentCount, components.length);
    const isInterleaved = components.length > 1;
    // Chroma components mostly share theirs.
    const placed = new Map<HuffmanTable, number>();
    const place = (table: HuffmanTable, kind: 'dc' | 'ac') => {
      const address = placed.get(table) ?? placeTable(arena, table, kind);
      placed.set(table, address);
      return address;
    };
    for (const [index, { plane, dc, ac }] of components.entries()) {
      const { horizontal, vertical } = plane.declared;
      const at = componentAt(index);
      this.#set(at + componentLayout.dc, place(dc!, 'dc'));
      this.#set(at + componentLayout.ac, place(ac!, 'ac'));
      this.#set(at + componentLayout.steps, placeSteps(arena, plane.quantization!, plane.lastKept));
      this.#set(at + componentLayout.horizontal, isInterleaved ? horizontal : 1);
      this.#set(at + componentLayout.vertical, isInterleaved ? vertical : 1);
      this.#set(at + componentLayout.blockLeft, plane.blockLeft);
      this.#set(at + componentLayout.blockRight, plane.blockRight);
      this.#set(at + componentLayout.side, plane.side);
      this.#set(at + componentLayout.lastKept, plane.lastKept);
      this.#set(at + componentLayout.stride, plane.stride);
    }
  }

  /** The next MCUs are those of an entropy-coded segment that begins at `position` in the file. */
  enterSegment(position: number): void {
    this.#segmentStart = position;
    this.#rest = position;
    this.#passed = 0;
    this.#state.fill(0, scanLayout.bits >> 2, (scanLayout.count >> 2) + 1);
    this.#set(scanLayout.position, this.#top);
    this.#set(scanLayout.end, this.#top + 1);
    this.#set(scanLayout.stop, this.#top + 1);
    for (let index = 0; index < this.#components.length; index++) {
      this.#set(componentAt(index) + componentLayout.prediction, 0);
    }
  }

  /** The next MCUs are those of this row of blocks, or rows if the scan is interleaved. */
  enterRow(firstBlockY: (component: ScanComponent) => number): void {
    for (const [index, component] of this.#components.entries()) {
      const { plane } = component;
      const at = componentAt(index);
      const rows = this.#get(at + componentLayout.vertical);
      for (let v = 0; v < rows; v++) {
        const blockY = firstBlockY(component) + v;
        const isNeeded = blockY >= plane.blockTop && blockY < plane.blockBottom;
        const address = plane.samples.byteOffset + plane.rowStart(blockY * plane.side);
        this.#set(at + componentLayout.rows + v * Int32Array.BYTES_PER_ELEMENT, isNeeded ? address : 0);
      }
    }
  }

  /**
   * @param mcu index in its row of the first MCU.
   * @param end index behind the last.
   * @param reader is put where the segment was left: before the MCU that was given up; else behind all data that was
   *   taken, which holds no marker.
   * @returns `end`; or the first MCU that was given up, because its data is damaged or ends.
   */
  decode(mcu: number, end: number, reader: BitReader): number {
    this.#set(scanLayout.mcu, mcu);
    this.#set(scanLayout.mcuEnd, end);
    for (;;) {
      if (this.#get(scanLayout.position) < this.#get(scanLayout.stop)) this.#moveWindow();
      const isGivenUp = this.#arena.kernels.decode_sequential(this.#scan) !== 0;
      const next = this.#get(scanLayout.mcu);
      if (isGivenUp) this.#leave(reader);
      if (isGivenUp || next === end) {
        if (!isGivenUp) reader.position = this.#rest;
        return next;
      }
    }
  }

  /** Has as much of the segment in the window as an MCU can take, or all there is. */
  #moveWindow(): void {
    const position = this.#get(scanLayout.position);
    const end = this.#get(scanLayout.end);
    const shift = this.#top - position;
    this.#arena.bytes.copyWithin(end + shift, end, position + 1);
    this.#passed += shift;
    this.#set(scanLayout.position, this.#top);

    const part = this.#bytes.subarray(this.#rest, this.#rest + chunkBytes);
    const from = this.#chunk.byteOffset;
    this.#chunk.set(part);
    const taken = this.#arena.kernels.unstuff(this.#scan, from, from + part.length, end + shift - 1) - from;
    this.#rest += taken;
    const newEnd = end + shift - this.#get(scanLayout.written);
    this.#set(scanLayout.end, newEnd);
    const isWhole = taken < part.length - 1 || this.#rest + 1 >= this.#bytes.length;
    this.#set(scanLayout.stop, isWhole ? 0 : newEnd + maxMcuBytes);
  }

  /** Puts `reader`, and the predictions, where the kernel is. */
  #leave(reader: BitReader): void {
    const fetched = this.#passed + this.#top - this.#get(scanLayout.position);
    const bits = fetched * 8 - this.#get(scanLayout.count);
    reader.seek(this.#segmentStart, bits);
    for (const [index, component] of this.#components.entries()) {
      component.prediction = this.#get(componentAt(index) + componentLayout.prediction);
    }
  }

  #get(offset: number): number {
    return this.#state[offset >> 2];
  }

  #set(offset: number, value: number): void {
    this.#state[offset >> 2] = value;
  }
}

function componentAt(index: number): number {
  return scanLayout.components + index * scanLayout.componentBytes;
}
