import type { PixelArena } from '../../../pixel-arena.ts';
import type { BitReader } from '../bit-reader.ts';
import type { ScanRoutine } from '../scan.ts';
import type { ScanComponent } from '../scan-header.ts';
import { componentLayout, scanBytes, scanLayout, tableLayout } from './layout.ts';
import { placeSteps, stepsBytes } from './quantization.ts';
import { ScanState } from './scan-state.ts';
import { SegmentWindow, segmentWindowBytes } from './segment-window.ts';
import { TablePlacer } from './tables.ts';

const chunkBytes = 16_384;

/** What a `SequentialRoutine` allocates. */
export function sequentialRoutineBytes(components: number): number {
  return scanBytes + segmentWindowBytes(chunkBytes) + components * (2 * tableLayout.bytes + stepsBytes);
}

/** Decodes the MCUs of a sequential scan into samples as `JpegScan` does, in WebAssembly. */
export class SequentialRoutine implements ScanRoutine {
  readonly #arena: PixelArena;
  readonly #components: readonly ScanComponent[];
  readonly #state: ScanState;
  readonly #window: SegmentWindow;

  /** @param block address of `createBlock`'s. */
  constructor(arena: PixelArena, bytes: Uint8Array, components: readonly ScanComponent[], block: number) {
    this.#arena = arena;
    this.#components = components;
    const state = new ScanState(arena, components);
    this.#state = state;
    this.#window = new SegmentWindow(state, arena, bytes, chunkBytes);
    state.set(scanLayout.block, block);
    const tables = new TablePlacer(arena);
    for (const [index, { plane, dc, ac }] of components.entries()) {
      state.setOf(index, componentLayout.dc, tables.place(dc!, 'dc'));
      state.setOf(index, componentLayout.ac, tables.place(ac!, 'ac'));
      state.setOf(index, componentLayout.steps, placeSteps(arena, plane.quantization!, plane.lastKept));
      state.setOf(index, componentLayout.blockLeft, plane.blockLeft);
      state.setOf(index, componentLayout.blockRight, plane.blockRight);
      state.setOf(index, componentLayout.side, plane.side);
      state.setOf(index, componentLayout.lastKept, plane.lastKept);
      state.setOf(index, componentLayout.stride, plane.stride);
    }
  }

  enterSegment(position: number): void {
    this.#window.enter(position);
    this.#state.clearPredictions();
  }

  enterRow(mcuRow: number, v: number): void {
    for (const [index, { plane }] of this.#components.entries()) {
      const rows = this.#state.getOf(index, componentLayout.vertical);
      for (let row = 0; row < rows; row++) {
        const blockY = mcuRow * plane.declared.vertical + v + row;
        const isNeeded = blockY >= plane.blockTop && blockY < plane.blockBottom;
        const address = plane.samples.byteOffset + plane.rowStart(blockY * plane.side);
        this.#state.setRow(index, row, isNeeded ? address : 0);
      }
    }
  }

  decode(mcu: number, end: number, reader: BitReader): number {
    const next = this.#window.decode(this.#arena.routines.decode_sequential, mcu, end, reader);
    if (next < end) this.#state.givePredictionsBack();
    return next;
  }
}
