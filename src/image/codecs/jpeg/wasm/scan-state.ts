import type { PixelArena } from '../../../pixel-arena.ts';
import type { ScanComponent } from '../scan-header.ts';
import { componentAt, componentLayout, scanBytes, scanLayout } from './layout.ts';

/** The state of a scan in linear memory that a routine reads and writes. The offsets of layout.ts name its fields. */
export class ScanState {
  readonly address: number;
  readonly #components: readonly ScanComponent[];
  readonly #words: Int32Array;

  constructor(arena: PixelArena, components: readonly ScanComponent[]) {
    this.#components = components;
    this.address = arena.allocate(scanBytes);
    this.#words = new Int32Array(arena.bytes.buffer, this.address, scanBytes / Int32Array.BYTES_PER_ELEMENT);
    this.set(scanLayout.componentCount, components.length);
    const isInterleaved = components.length > 1;
    for (const [index, { plane }] of components.entries()) {
      const { horizontal, vertical } = plane.declared;
      this.setOf(index, componentLayout.horizontal, isInterleaved ? horizontal : 1);
      this.setOf(index, componentLayout.vertical, isInterleaved ? vertical : 1);
    }
  }

  /** @param offset of `scanLayout`. */
  get(offset: number): number {
    return this.#words[offset >> 2]!;
  }

  set(offset: number, value: number): void {
    this.#words[offset >> 2] = value;
  }

  /** Forgets the bits that were fetched. */
  clearBits(): void {
    this.set(scanLayout.bits, 0);
    this.set(scanLayout.bits + 4, 0);
    this.set(scanLayout.count, 0);
  }

  clearPredictions(): void {
    const { length } = this.#components;
    for (let index = 0; index < length; index++) this.setOf(index, componentLayout.prediction, 0);
  }

  /** Copies the predictions back to the scan, so that TypeScript can go on. */
  givePredictionsBack(): void {
    for (const [index, component] of this.#components.entries()) {
      component.prediction = this.getOf(index, componentLayout.prediction);
    }
  }

  /**
   * @param index of the component in the scan.
   * @param offset of `componentLayout`.
   */
  getOf(index: number, offset: number): number {
    return this.get(componentAt(index) + offset);
  }

  setOf(index: number, offset: number, value: number): void {
    this.set(componentAt(index) + offset, value);
  }

  /** @param row of blocks in the MCU row. */
  setRow(index: number, row: number, address: number): void {
    this.setOf(index, componentLayout.rows + row * Int32Array.BYTES_PER_ELEMENT, address);
  }
}
