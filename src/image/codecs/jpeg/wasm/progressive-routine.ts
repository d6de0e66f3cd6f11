import type { PixelArena } from '../../../pixel-arena.ts';
import type { BitReader } from '../bit-reader.ts';
import type { ProgressiveBand } from '../progressive-block.ts';
import type { ScanRoutine } from '../scan.ts';
import type { ScanComponent } from '../scan-header.ts';
import {
  coefficientsBytes,
  componentLayout,
  scanBytes,
  scanLayout,
  sparedBytes,
  tableLayout,
  zeroListBytes,
} from './layout.ts';
import { ScanState } from './scan-state.ts';
import { SegmentWindow, segmentWindowBytes } from './segment-window.ts';
import type { TablePlacer } from './tables.ts';

/** Each scan of a progressive file has little data in a row of blocks. */
const chunkBytes = 4096;

/** Bytes that `scans` routines allocate, which together use `tables` tables. */
export function progressiveRoutineBytes(scans: number, tables: number): number {
  const bytesPerScan = scanBytes + segmentWindowBytes(chunkBytes) + sparedBytes;
  return scans * bytesPerScan + tables * tableLayout.bytes + zeroListBytes;
}

/** For each value of a byte, the positions of its set bits. */
const zeroLists = Uint8Array.from({ length: zeroListBytes }, (_, i) => {
  const positions = [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => ((i >> 3) >> bit) & 1);
  return positions[i & 7] ?? 0;
});

/** Call once for all scans of a file. @returns the address. */
export function placeZeroLists(arena: PixelArena): number {
  const address = arena.allocate(zeroListBytes);
  arena.bytes.set(zeroLists, address);
  return address;
}

/** The fields of a scan that the routine reads. */
interface ProgressiveScan extends ProgressiveBand {
  readonly components: readonly ScanComponent[];
  readonly previousShift: number;
}

/** Decodes the MCUs of a progressive scan into coefficients as `JpegScan` does, in WebAssembly. */
export class ProgressiveRoutine implements ScanRoutine {
  readonly #scan: ProgressiveScan;
  readonly #state: ScanState;
  readonly #window: SegmentWindow;
  readonly #routine: (scan: number) => number;

  /** @param lists address of `placeZeroLists`. */
  constructor(
    arena: PixelArena,
    bytes: Uint8Array,
    scan: ProgressiveScan,
    tables: TablePlacer,
    lists: number,
  ) {
    const { components, spectralStart, spectralEnd, shift, previousShift } = scan;
    this.#scan = scan;
    this.#routine = chooseRoutine(arena.routines, spectralStart > 0, previousShift > 0);
    const state = new ScanState(arena, components);
    this.#state = state;
    this.#window = new SegmentWindow(state, arena, bytes, chunkBytes);
    state.set(scanLayout.block, arena.allocate(sparedBytes));
    state.set(scanLayout.zeroLists, lists);
    state.set(scanLayout.spectralStart, spectralStart);
    state.set(scanLayout.spectralEnd, spectralEnd);
    state.set(scanLayout.shift, shift);
    const acKind = previousShift > 0 ? 'acRefinement' : 'acFirst';
    for (const [index, { dc, ac }] of components.entries()) {
      if (dc) state.setOf(index, componentLayout.dc, tables.place(dc, 'dc'));
      if (ac) state.setOf(index, componentLayout.ac, tables.place(ac, acKind));
    }
  }

  enterSegment(position: number): void {
    this.#window.enter(position);
    this.#state.set(scanLayout.endOfBandRun, 0);
    this.#state.clearPredictions();
  }

  enterRow(mcuRow: number, v: number): void {
    for (const [index, { plane }] of this.#scan.components.entries()) {
      const { coefficients, declared } = plane;
      const blockY = mcuRow * declared.vertical + v;
      const isNeeded = blockY >= plane.blockTop && blockY < plane.blockBottom;
      this.#state.setOf(index, componentLayout.blockLeft, plane.blockLeft);
      this.#state.setOf(index, componentLayout.blockRight, isNeeded ? plane.blockRight : plane.blockLeft);
      const rows = this.#state.getOf(index, componentLayout.vertical);
      for (let row = 0; row < rows; row++) {
        const firstBlock = (v + row) * declared.paddedBlocksPerLine;
        this.#state.setRow(index, row, coefficients.byteOffset + firstBlock * coefficientsBytes);
      }
    }
  }

  decode(mcu: number, end: number, reader: BitReader): number {
    const next = this.#window.decode(this.#routine, mcu, end, reader);
    if (next < end) {
      this.#scan.endOfBandRun = this.#state.get(scanLayout.endOfBandRun);
      this.#state.givePredictionsBack();
    }
    return next;
  }
}

function chooseRoutine(
  routines: PixelArena['routines'],
  isAc: boolean,
  isRefinement: boolean,
): (scan: number) => number {
  if (isAc) return isRefinement ? routines.decode_ac_refinement : routines.decode_ac_first;
  return isRefinement ? routines.decode_dc_refinement : routines.decode_dc_first;
}
