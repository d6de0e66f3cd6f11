import type { PixelArena } from '../../../pixel-kernels/pixel-kernels.ts';
import type { BitReader } from '../bit-reader.ts';
import type { ProgressiveBand } from '../progressive-block.ts';
import type { ScanComponent, ScanKernel } from '../scan.ts';
import { coefficientsBytes, componentAt, componentLayout, scanLayout, tableLayout } from './layout.ts';
import { SegmentWindow, segmentWindowBytes } from './segment-window.ts';
import type { TablePlacer } from './tables.ts';

/** Of a progressive file, each scan has little in a row of blocks. */
const chunkBytes = 4096;

/** What so many `ProgressiveKernel`s allocate, which look up so many tables together. */
export function progressiveKernelBytes(scans: number, tables: number): number {
  return scans * (segmentWindowBytes(chunkBytes) + coefficientsBytes) + tables * tableLayout.bytes;
}

/** What a scan says of itself. */
interface ProgressiveScan extends ProgressiveBand {
  readonly components: readonly ScanComponent[];
  readonly previousShift: number;
}

/** Decodes the MCUs of a progressive scan into coefficients as `JpegScan` does, in WebAssembly. */
export class ProgressiveKernel implements ScanKernel {
  readonly #scan: ProgressiveScan;
  readonly #window: SegmentWindow;
  readonly #kernel: (scan: number) => number;

  constructor(arena: PixelArena, bytes: Uint8Array, scan: ProgressiveScan, tables: TablePlacer) {
    const { components, spectralStart, spectralEnd, shift, previousShift } = scan;
    this.#scan = scan;
    this.#kernel = chooseKernel(arena.kernels, spectralStart > 0, previousShift > 0);
    this.#window = new SegmentWindow(arena, bytes, chunkBytes);
    this.#window.set(scanLayout.block, arena.allocate(coefficientsBytes));
    this.#window.set(scanLayout.componentCount, components.length);
    this.#window.set(scanLayout.spectralStart, spectralStart);
    this.#window.set(scanLayout.spectralEnd, spectralEnd);
    this.#window.set(scanLayout.shift, shift);
    const isInterleaved = components.length > 1;
    for (const [index, { plane, dc, ac }] of components.entries()) {
      const { horizontal, vertical } = plane.declared;
      if (dc) this.#set(index, 'dc', tables.place(dc, 'dc'));
      if (ac) this.#set(index, 'ac', tables.place(ac, previousShift > 0 ? 'acRefinement' : 'acFirst'));
      this.#set(index, 'horizontal', isInterleaved ? horizontal : 1);
      this.#set(index, 'vertical', isInterleaved ? vertical : 1);
    }
  }

  enterSegment(position: number): void {
    this.#window.enter(position);
    this.#window.set(scanLayout.endOfBandRun, 0);
    for (let index = 0; index < this.#scan.components.length; index++) this.#set(index, 'prediction', 0);
  }

  enterRow(_mcuRow: number, v: number): void {
    for (const [index, { plane }] of this.#scan.components.entries()) {
      const { coefficients, declared } = plane;
      const rows = this.#window.get(componentAt(index) + componentLayout.vertical);
      for (let row = 0; row < rows; row++) {
        const firstBlock = (v + row) * declared.paddedBlocksPerLine;
        this.#set(index, 'rows', coefficients.byteOffset + firstBlock * coefficientsBytes, row);
      }
    }
  }

  decode(mcu: number, end: number, reader: BitReader): number {
    const next = this.#window.decode(this.#kernel, mcu, end, reader);
    if (next < end) {
      this.#scan.endOfBandRun = this.#window.get(scanLayout.endOfBandRun);
      for (const [index, component] of this.#scan.components.entries()) {
        component.prediction = this.#window.get(componentAt(index) + componentLayout.prediction);
      }
    }
    return next;
  }

  #set(index: number, name: keyof typeof componentLayout, value: number, element = 0): void {
    const offset = componentLayout[name] + element * Int32Array.BYTES_PER_ELEMENT;
    this.#window.set(componentAt(index) + offset, value);
  }
}

function chooseKernel(
  kernels: PixelArena['kernels'],
  isAc: boolean,
  isRefinement: boolean,
): (scan: number) => number {
  if (isAc) return isRefinement ? kernels.decode_ac_refinement : kernels.decode_ac_first;
  return isRefinement ? kernels.decode_dc_refinement : kernels.decode_dc_first;
}
