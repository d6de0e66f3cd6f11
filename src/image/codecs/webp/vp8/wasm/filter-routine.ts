import type { PixelArena } from '../../../../pixel-arena.ts';
import type { FilterLimits } from '../loop-filter.ts';
import type { PlaneTarget } from '../workspace.ts';
import { filteredEdges } from './layout.ts';

/**
 * Filters a macroblock by the normal filter, with WebAssembly.
 *
 * @param planes of luma, Cb and Cr, in `arena`.
 */
export function filterByRoutine(
  arena: PixelArena,
  planes: readonly PlaneTarget[],
  { outerEdge, innerEdge, interior, highVariance }: FilterLimits,
  edges: { readonly left: boolean; readonly above: boolean; readonly inner: boolean },
): void {
  // Three planes: in range.
  const luma = planes[0]!;
  const cb = planes[1]!;
  const cr = planes[2]!;
  arena.routines.vp8_filter_macroblock(
    luma.samples.byteOffset + luma.at,
    cb.samples.byteOffset + cb.at,
    cr.samples.byteOffset + cr.at,
    luma.stride,
    cb.stride,
    outerEdge >> 1,
    innerEdge >> 1,
    interior,
    highVariance,
    (edges.left ? filteredEdges.left : 0) |
      (edges.above ? filteredEdges.above : 0) |
      (edges.inner ? filteredEdges.inner : 0),
  );
}
