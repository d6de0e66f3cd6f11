import type { PixelArena } from '../../pixel-kernels/pixel-kernels.ts';
import type { BitReader } from './bit-reader.ts';
import { blockSize } from './frame.ts';
import type { HuffmanTable } from './huffman.ts';
import { componentLayout, scanBytes, scanLayout, stepsBytes, tableLayout } from './kernel-layout.ts';
import type { ScanComponent } from './scan.ts';
import { marker, zigzag } from './segments.ts';

/** Bytes of the file that stand in linear memory at a time. */
const windowBytes = 65_536;
/**
 * The most that one MCU can take of the file: 10 blocks of 64 coefficients of 16 + 15 bits, each byte stuffed, and
 * the 8 bytes that are looked at together.
 */
const maxMcuBytes = (10 * blockSize * 32 * 2) / 8 + 8;
/** Behind the file's end stands a marker, and what is read together with it. */
const endMark = Uint8Array.of(0xff, marker.endOfImage, 0, 0, 0, 0, 0, 0, 0, 0);
const neverStop = 0x7fffffff;

/** What a `SequentialKernel` allocates, and in how many pieces: tables, divisors, its state and its window. */
export function sequentialKernelBytes(components: number): number {
  return components * (2 * tableLayout.bytes + stepsBytes) + scanBytes + windowBytes + endMark.length;
}

/** Decodes the MCUs of a sequential scan as `JpegScan` does, in WebAssembly, from a window of the file. */
export class SequentialKernel {
  readonly #arena: PixelArena;
  readonly #bytes: Uint8Array;
  readonly #components: readonly ScanComponent[];
  /** Address of the scan's state, and the same as numbers. */
  readonly #scan: number;
  readonly #state: Int32Array;
  readonly #window: Uint8Array;
  /** Offset in the file of the window's first byte. */
  #windowStart = 0;
  #windowLength = 0;

  /**
   * @param block address of 64 zeros and 256 bytes more.
   * @param interleaved whether an MCU holds more than one block.
   */
  constructor(arena: PixelArena, bytes: Uint8Array, components: readonly ScanComponent[], block: number) {
    this.#arena = arena;
    this.#bytes = bytes;
    this.#components = components;
    this.#scan = arena.allocate(scanBytes);
    this.#window = arena.allocateView(windowBytes + endMark.length);
    this.#state = new Int32Array(arena.bytes.buffer, this.#scan, scanBytes / Int32Array.BYTES_PER_ELEMENT);
    this.#set(scanLayout.block, block);
    this.#set(scanLayout.componentCount, components.length);
    const isInterleaved = components.length > 1;
    // Chroma components mostly share theirs.
    const placed = new Map<HuffmanTable, number>();
    const place = (table: HuffmanTable) => {
      const address = placed.get(table) ?? placeTable(arena, table);
      placed.set(table, address);
      return address;
    };
    for (const [index, { plane, dc, ac }] of components.entries()) {
      const { horizontal, vertical } = plane.declared;
      const at = componentAt(index);
      this.#set(at + componentLayout.dc, place(dc!));
      this.#set(at + componentLayout.ac, place(ac!));
      this.#set(at + componentLayout.steps, placeSteps(arena, plane.quantization!));
      this.#set(at + componentLayout.horizontal, isInterleaved ? horizontal : 1);
      this.#set(at + componentLayout.vertical, isInterleaved ? vertical : 1);
      this.#set(at + componentLayout.blockLeft, plane.blockLeft);
      this.#set(at + componentLayout.blockRight, plane.blockRight);
      this.#set(at + componentLayout.side, plane.side);
      this.#set(at + componentLayout.lastKept, plane.lastKept);
      this.#set(at + componentLayout.stride, plane.stride);
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
   * @returns the first MCU that was not decoded, because its data is damaged or ends; `end` if there is none.
   */
  decode(reader: BitReader, mcu: number, end: number): number {
    let next = mcu;
    let isGivenUp = false;
    for (const [index, { prediction }] of this.#components.entries()) {
      this.#set(componentAt(index) + componentLayout.prediction, prediction);
    }
    this.#set(scanLayout.mcuEnd, end);
    while (next < end && !isGivenUp) {
      this.#moveWindow(reader.position);
      this.#set(scanLayout.mcu, next);
      this.#set(scanLayout.bits, reader.bits);
      this.#set(scanLayout.count, reader.count);
      this.#set(scanLayout.supplied, reader.suppliedBits);
      const { byteOffset } = this.#window;
      this.#set(scanLayout.position, byteOffset + reader.position - this.#windowStart);
      isGivenUp = this.#arena.kernels.decode_sequential(this.#scan) !== 0;
      next = this.#get(scanLayout.mcu);
      reader.bits = this.#get(scanLayout.bits);
      reader.count = this.#get(scanLayout.count);
      reader.suppliedBits = this.#get(scanLayout.supplied);
      reader.position = this.#get(scanLayout.position) - byteOffset + this.#windowStart;
    }
    for (const [index, component] of this.#components.entries()) {
      component.prediction = this.#get(componentAt(index) + componentLayout.prediction);
    }
    return next;
  }

  /** Has the file's bytes from `position` on in the window, enough of them for an MCU. */
  #moveWindow(position: number): void {
    const bytes = this.#bytes;
    const end = this.#windowStart + this.#windowLength;
    if (position >= this.#windowStart && (end === bytes.length || position + maxMcuBytes < end)) return;
    const part = bytes.subarray(position, position + windowBytes);
    this.#window.set(part);
    this.#windowStart = position;
    this.#windowLength = part.length;
    const isLast = position + part.length === bytes.length;
    if (isLast) this.#window.set(endMark, part.length);
    const stop = this.#window.byteOffset + part.length - maxMcuBytes;
    this.#set(scanLayout.stop, isLast ? neverStop : stop);
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

function placeTable(arena: PixelArena, table: HuffmanTable): number {
  const address = arena.allocate(tableLayout.bytes);
  const { buffer } = arena.bytes;
  new Uint16Array(buffer, address + tableLayout.symbols, table.symbols.length).set(table.symbols);
  new Int32Array(buffer, address + tableLayout.coefficients, table.coefficients.length).set(
    table.coefficients,
  );
  new Int32Array(buffer, address + tableLayout.skips, table.skips.length).set(table.skips);
  new Int32Array(buffer, address + tableLayout.maxCode, table.maxCode.length).set(table.maxCode);
  new Int32Array(buffer, address + tableLayout.valueOffset, table.valueOffset.length).set(table.valueOffset);
  arena.bytes.set(table.values, address + tableLayout.values);
  return address;
}

function placeSteps(arena: PixelArena, quantization: Int32Array): number {
  const address = arena.allocate(stepsBytes);
  const steps = new Int32Array(arena.bytes.buffer, address, blockSize);
  for (let k = 0; k < blockSize; k++) {
    steps[k] = (quantization[k] << 8) | (zigzag[k] * Int32Array.BYTES_PER_ELEMENT);
  }
  return address;
}
