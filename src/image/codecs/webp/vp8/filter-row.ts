import type { PixelArena } from '../../../pixel-arena.ts';
import type { FrameHeader } from './frame-header.ts';
import { createFilterLimits, type FilterLimits, filterNormalEdge, filterSimpleEdge } from './loop-filter.ts';
import type { MacroblockModes } from './modes.ts';
import { filterByRoutine } from './wasm/filter-routine.ts';
import type { PlaneTarget } from './workspace.ts';

/**
 * Filters a row of macroblocks when all of it is made: prediction works on samples that are not filtered.
 *
 * Indexes are in range: one entry a macroblock, eight limits.
 *
 * @see RFC 6386 section 15
 */
export class RowFilter {
  readonly #type: 'simple' | 'normal';
  /** Two a segment: of macroblocks that are predicted as one, and of those that are in blocks of 4 x 4. */
  readonly #limits: readonly (FilterLimits | undefined)[];
  /** By column: an index of `#limits`, and whether edges within are filtered. */
  readonly #strength: Uint8Array;
  readonly #inner: Uint8Array;

  readonly #arena: PixelArena | undefined;

  private constructor(header: FrameHeader, type: 'simple' | 'normal', columns: number, arena?: PixelArena) {
    this.#arena = arena;
    const { sharpness, intraDelta, submodesDelta } = header.loopFilter;
    this.#type = type;
    this.#limits = header.segments.flatMap(({ filterLevel }) => [
      createFilterLimits(filterLevel + intraDelta, sharpness),
      createFilterLimits(filterLevel + intraDelta + submodesDelta, sharpness),
    ]);
    this.#strength = new Uint8Array(columns);
    this.#inner = new Uint8Array(columns);
  }

  /**
   * @param arena where the planes are, if it is given.
   * @returns undefined where the frame is not filtered.
   */
  static create(header: FrameHeader, columns: number, arena?: PixelArena): RowFilter | undefined {
    const { type } = header.loopFilter;
    return type === 'none' ? undefined : new RowFilter(header, type, columns, arena);
  }

  /** Keeps what decides on a macroblock's filter. */
  note(column: number, { segment, hasSubmodes }: MacroblockModes, hasCoefficients: boolean): void {
    this.#strength[column] = 2 * segment + (hasSubmodes ? 1 : 0);
    this.#inner[column] = hasSubmodes || hasCoefficients ? 1 : 0;
  }

  /**
   * Filters macroblock `column` of the row, all on its left being filtered.
   *
   * @param planes `at` is the macroblock's.
   */
  filter(column: number, isFirstRow: boolean, planes: readonly PlaneTarget[]): void {
    const limits = this.#limits[this.#strength[column]!];
    if (limits === undefined) return;
    const edges = { left: column > 0, above: !isFirstRow, inner: this.#inner[column] === 1 };
    if (this.#arena !== undefined && this.#type === 'normal') {
      filterByRoutine(this.#arena, planes, limits, edges);
      return;
    }
    for (const across of ['left', 'above'] as const) {
      if (edges[across]) this.#filterOuter(across, planes, limits);
      if (edges.inner) this.#filterInner(across, planes, limits);
    }
  }

  #filterOuter(across: 'left' | 'above', planes: readonly PlaneTarget[], limits: FilterLimits): void {
    for (const [i, { samples, stride, at }] of planes.entries()) {
      const [step, along] = across === 'left' ? [1, stride] : [stride, 1];
      const side = i === 0 ? 16 : 8;
      if (this.#type === 'normal') filterNormalEdge(samples, at, step, along, side, true, limits);
      else if (i === 0) filterSimpleEdge(samples, at, step, along, side, limits.outerEdge);
    }
  }

  #filterInner(across: 'left' | 'above', planes: readonly PlaneTarget[], limits: FilterLimits): void {
    for (const [i, { samples, stride, at }] of planes.entries()) {
      const [step, along] = across === 'left' ? [1, stride] : [stride, 1];
      const side = i === 0 ? 16 : 8;
      for (let edge = 4; edge < side; edge += 4) {
        const first = at + edge * step;
        if (this.#type === 'normal') filterNormalEdge(samples, first, step, along, side, false, limits);
        else if (i === 0) filterSimpleEdge(samples, first, step, along, side, limits.innerEdge);
      }
    }
  }
}
