import type { PixelArena } from '../../../../pixel-arena.ts';
import type { MacroblockModes } from '../modes.ts';
import type { Residuals } from '../residuals.ts';
import { edgeBytes, type PlaneTarget } from '../workspace.ts';
import { macroblockPlace } from './layout.ts';
import { submodeMasks } from './submode-masks.ts';

/** What `MacroblockMaker` does for a macroblock, by WebAssembly. */
export class MacroblockRoutine {
  readonly #arena: PixelArena;
  readonly #workspace: number;
  readonly #edges: number;
  readonly #masks: number;
  readonly #modes: Uint8Array;

  /** @param workspace and `edges` are in `arena`. */
  constructor(arena: PixelArena, workspace: Uint8ClampedArray, edges: Uint8Array) {
    this.#arena = arena;
    this.#workspace = workspace.byteOffset;
    this.#edges = edges.byteOffset;
    const masks = submodeMasks();
    this.#masks = arena.allocate(masks.length);
    arena.bytes.set(masks, this.#masks);
    this.#modes = arena.allocateView(16);
  }

  /** @param residuals and `planes` (luma, Cb, Cr) are in the arena. */
  make(
    column: number,
    hasAbove: boolean,
    isLast: boolean,
    { luma: modes, chroma, hasSubmodes }: MacroblockModes,
    { content, coefficients }: Residuals,
    planes: readonly PlaneTarget[],
  ): void {
    this.#modes.set(modes);
    // Three planes: in range.
    const luma = planes[0]!;
    const cb = planes[1]!;
    const cr = planes[2]!;
    this.#arena.routines.vp8_make_macroblock(
      this.#workspace,
      this.#edges + column * edgeBytes,
      this.#masks,
      this.#modes.byteOffset,
      chroma,
      hasSubmodes ? 1 : 0,
      content.byteOffset,
      coefficients.byteOffset,
      (column > 0 ? macroblockPlace.hasLeft : 0) |
        (hasAbove ? macroblockPlace.hasAbove : 0) |
        (isLast ? macroblockPlace.isLast : 0),
      luma.samples.byteOffset + luma.at,
      cb.samples.byteOffset + cb.at,
      cr.samples.byteOffset + cr.at,
      luma.stride,
      cb.stride,
    );
  }
}
