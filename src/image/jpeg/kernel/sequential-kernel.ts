import type { PixelArena } from '../../../pixel-kernels/pixel-kernels.ts';
import type { BitReader } from '../bit-reader.ts';
import type { ScanComponent, ScanKernel } from '../scan.ts';
import { componentAt, componentLayout, scanLayout, tableLayout } from './layout.ts';
import { placeSteps, stepsBytes } from './quantization.ts';
import { SegmentWindow, segmentWindowBytes } from './segment-window.ts';
import { TablePlacer } from './tables.ts';

const chunkBytes = 16_384;

/** What a `SequentialKernel` allocates. */
export function sequentialKernelBytes(components: number): number {
  return components * (2 * tableLayout.bytes + stepsBytes) + segmentWindowBytes(chunkBytes);
}

/** Decodes the MCUs of a sequential scan into samples as `JpegScan` does, in WebAssembly. */
export class SequentialKernel implements ScanKernel {
  readonly #arena: PixelArena;
  readonly #components: readonly ScanComponent[];
  readonly #window: SegmentWindow;

  /** @param block address of 64 zeros and 256 bytes more. */
  constructor(arena: PixelArena, bytes: Uint8Array, components: readonly ScanComponent[], block: number) {
    this.#arena = arena;
    this.#components = components;
    this.#window = new SegmentWindow(arena, bytes, chunkBytes);
    this.#window.set(scanLayout.block, block);
    this.#window.set(scanLayout.componentCount, components.length);
    const isInterleaved = components.length > 1;
    const tables = new TablePlacer(arena);
    for (const [index, { plane, dc, ac }] of components.entries()) {
      const { horizontal, vertical } = plane.declared;
      this.#set(index, 'dc', tables.place(dc!, 'dc'));
      this.#set(index, 'ac', tables.place(ac!, 'ac'));
      this.#set(index, 'horizontal', isInterleaved ? horizontal : 1);
      this.#set(index, 'vertical', isInterleaved ? vertical : 1);
      this.#set(index, 'steps', placeSteps(arena, plane.quantization!, plane.lastKept));
      this.#set(index, 'blockLeft', plane.blockLeft);
      this.#set(index, 'blockRight', plane.blockRight);
      this.#set(index, 'side', plane.side);
      this.#set(index, 'lastKept', plane.lastKept);
      this.#set(index, 'stride', plane.stride);
    }
  }

  enterSegment(position: number): void {
    this.#window.enter(position);
    for (let index = 0; index < this.#components.length; index++) this.#set(index, 'prediction', 0);
  }

  enterRow(mcuRow: number, v: number): void {
    for (const [index, { plane }] of this.#components.entries()) {
      const rows = this.#get(index, 'vertical');
      for (let row = 0; row < rows; row++) {
        const blockY = mcuRow * plane.declared.vertical + v + row;
        const isNeeded = blockY >= plane.blockTop && blockY < plane.blockBottom;
        const address = plane.samples.byteOffset + plane.rowStart(blockY * plane.side);
        this.#set(index, 'rows', isNeeded ? address : 0, row);
      }
    }
  }

  decode(mcu: number, end: number, reader: BitReader): number {
    const next = this.#window.decode(this.#arena.kernels.decode_sequential, mcu, end, reader);
    if (next < end) {
      for (const [index, component] of this.#components.entries()) {
        component.prediction = this.#get(index, 'prediction');
      }
    }
    return next;
  }

  #get(index: number, name: keyof typeof componentLayout): number {
    return this.#window.get(componentAt(index) + componentLayout[name]);
  }

  #set(index: number, name: keyof typeof componentLayout, value: number, element = 0): void {
    const offset = componentLayout[name] + element * Int32Array.BYTES_PER_ELEMENT;
    this.#window.set(componentAt(index) + offset, value);
  }
}
