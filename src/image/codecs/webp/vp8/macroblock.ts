import type { PixelArena } from '../../../pixel-arena.ts';
import { addDc, addInverseDct } from './inverse-transforms.ts';
import type { MacroblockModes } from './modes.ts';
import { predictBlock } from './predict-block.ts';
import { predictPlane } from './predict-plane.ts';
import { blockContent, coefficientsPerBlock, type Residuals } from './residuals.ts';
import { MacroblockRoutine } from './wasm/macroblock-routine.ts';
import {
  chromaAt,
  edgeBytes,
  lumaAt,
  type PlaneTarget,
  workspaceStride as stride,
  workspaceBytes,
} from './workspace.ts';

/** What is invented where the image has nothing above, or on the left. @see RFC 6386 section 12.2 */
const nothingAbove = 127;
const nothingLeft = 129;

/**
 * Predicts macroblocks in raster order and adds their residuals.
 *
 * Indexes are in range: the workspace has what is named above, `edges` 32 bytes a macroblock.
 *
 * @see RFC 6386 section 12, 14.5
 */
export class MacroblockMaker {
  readonly #workspace: Uint8ClampedArray;
  /** Of the macroblocks above. */
  readonly #edges: Uint8Array;
  readonly #columns: number;
  readonly #routine: MacroblockRoutine | undefined;
  #row = 0;

  /** @param arena where coefficients and planes are, if it is given. */
  constructor(columns: number, arena?: PixelArena) {
    this.#columns = columns;
    const workspace = arena?.allocateView(workspaceBytes) ?? new Uint8Array(workspaceBytes);
    this.#workspace = new Uint8ClampedArray(workspace.buffer, workspace.byteOffset, workspaceBytes);
    this.#edges = arena?.allocateView(columns * edgeBytes) ?? new Uint8Array(columns * edgeBytes);
    this.#routine = arena && new MacroblockRoutine(arena, this.#workspace, this.#edges);
  }

  startRow(row: number): void {
    this.#row = row;
    const samples = this.#workspace;
    const corner = row === 0 ? nothingAbove : nothingLeft;
    for (const [at, side] of [[lumaAt, 16] as const, ...chromaAt.map((at) => [at, 8] as const)]) {
      samples[at - stride - 1] = corner;
      for (let y = 0; y < side; y++) samples[at + y * stride - 1] = nothingLeft;
      if (row === 0) samples.fill(nothingAbove, at - stride, at - stride + side);
    }
    if (row === 0) samples.fill(nothingAbove, lumaAt - stride + 16, lumaAt - stride + 20);
  }

  /** @param planes of luma, Cb and Cr: where the macroblock goes. */
  make(column: number, modes: MacroblockModes, residuals: Residuals, planes: readonly PlaneTarget[]): void {
    if (this.#routine !== undefined) {
      const isLast = column === this.#columns - 1;
      this.#routine.make(column, this.#row > 0, isLast, modes, residuals, planes);
      return;
    }
    if (column > 0) this.#moveLeftEdge();
    if (this.#row > 0) this.#placeEdgeAbove(column);
    if (modes.hasSubmodes) this.#makeBlocks(modes.luma, residuals);
    else this.#makePlane(lumaAt, 16, modes.luma[0]!, 0, column, residuals);
    this.#makePlane(chromaAt[0], 8, modes.chroma, 16, column, residuals);
    this.#makePlane(chromaAt[1], 8, modes.chroma, 20, column, residuals);
    this.#keepLowerEdge(column);
    this.#copyOut(planes);
  }

  /** The last samples of each row become those on the left. */
  #moveLeftEdge(): void {
    const samples = this.#workspace;
    for (let y = -1; y < 16; y++) {
      const row = lumaAt + y * stride;
      samples[row - 1] = samples[row + 15]!;
    }
    for (const at of chromaAt) {
      for (let y = -1; y < 8; y++) samples[at + y * stride - 1] = samples[at + y * stride + 7]!;
    }
  }

  #placeEdgeAbove(column: number): void {
    const samples = this.#workspace;
    const edge = column * edgeBytes;
    for (let x = 0; x < 16; x++) samples[lumaAt - stride + x] = this.#edges[edge + x]!;
    for (let x = 0; x < 8; x++) {
      samples[chromaAt[0] - stride + x] = this.#edges[edge + 16 + x]!;
      samples[chromaAt[1] - stride + x] = this.#edges[edge + 24 + x]!;
    }
    // Behind the last macroblock its own last sample is repeated.
    const last = column === this.#columns - 1;
    for (let x = 0; x < 4; x++) {
      samples[lumaAt - stride + 16 + x] = this.#edges[last ? edge + 15 : edge + edgeBytes + x]!;
    }
  }

  #makeBlocks(modes: Uint8Array, residuals: Residuals): void {
    const samples = this.#workspace;
    // Blocks on the right know nothing of what is right of them but the row above the macroblock.
    const right = lumaAt - stride + 16;
    for (const y of [4, 8, 12]) samples.copyWithin(right + y * stride, right, right + 4);
    for (let block = 0; block < 16; block++) {
      const at = lumaAt + (block >> 2) * 4 * stride + (block & 3) * 4;
      predictBlock(samples, at, modes[block]!);
      this.#addResidual(residuals, block, at);
    }
  }

  #makePlane(
    at: number,
    side: 16 | 8,
    mode: number,
    firstBlock: number,
    column: number,
    residuals: Residuals,
  ): void {
    predictPlane(this.#workspace, at, side, mode, this.#row > 0, column > 0);
    let block = firstBlock;
    for (let y = 0; y < side; y += 4) {
      for (let x = 0; x < side; x += 4) this.#addResidual(residuals, block++, at + y * stride + x);
    }
  }

  #addResidual({ content, coefficients }: Residuals, block: number, at: number): void {
    const from = block * coefficientsPerBlock;
    if (content[block] === blockContent.ac) addInverseDct(coefficients, from, this.#workspace, at);
    else if (content[block] === blockContent.dc) addDc(coefficients[from]!, this.#workspace, at);
  }

  #keepLowerEdge(column: number): void {
    const samples = this.#workspace;
    const edge = column * edgeBytes;
    for (let x = 0; x < 16; x++) this.#edges[edge + x] = samples[lumaAt + 15 * stride + x]!;
    for (let x = 0; x < 8; x++) {
      this.#edges[edge + 16 + x] = samples[chromaAt[0] + 7 * stride + x]!;
      this.#edges[edge + 24 + x] = samples[chromaAt[1] + 7 * stride + x]!;
    }
  }

  #copyOut(planes: readonly PlaneTarget[]): void {
    const sources = [lumaAt, ...chromaAt];
    for (const [i, { samples, stride: targetStride, at }] of planes.entries()) {
      const side = i === 0 ? 16 : 8;
      for (let y = 0; y < side; y++) {
        const from = sources[i]! + y * stride;
        const to = at + y * targetStride;
        for (let x = 0; x < side; x++) samples[to + x] = this.#workspace[from + x]!;
      }
    }
  }
}
