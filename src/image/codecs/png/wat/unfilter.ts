import { countUp, set } from '../../../../lib/wasm-text/control.ts';
import { i32Locals, type V128, v128Locals } from '../../../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../../../lib/wasm-text/function.ts';
import { i32Add } from '../../../../lib/wasm-text/integers.ts';
import {
  v128Load,
  v128Load8x8U,
  v128Load64Zero,
  v128Store,
  v128Store64Lane,
} from '../../../../lib/wasm-text/memory.ts';
import {
  i8x16Add,
  i8x16AvgrU,
  i8x16Const,
  i8x16NarrowI16x8U,
  i8x16Sub,
  i16x8Abs,
  i16x8Add,
  i16x8Const,
  i16x8Eq,
  i16x8MinS,
  i16x8Sub,
  v128And,
  v128Bitselect,
  v128Not,
} from '../../../../lib/wasm-text/vectors.ts';

/**
 * Rows of PNG, filtered at `row`, to the samples at `out`; `above` are those of the row above. They read and write up
 * to 15 bytes behind the last, and what lies there in `out` is of no meaning. A pixel has 1 to 8 bytes.
 *
 * @see PNG third edition, 9.2 (filter types)
 */
const [row, above, out, count, pixelBytes, i] = i32Locals('row', 'above', 'out', 'count', 'pixelBytes', 'i');
const pixelAt = (start: typeof row) => i32Add(start, i);

/** Filter type 2: what stands above is added. */
export const unfilterUp = wasmFunction({
  name: 'unfilter_up',
  exported: true,
  params: [row, above, out, count],
  locals: [i],
  body: countUp(
    i,
    count,
    16,
    v128Store(pixelAt(out), i8x16Add(v128Load(pixelAt(row)), v128Load(pixelAt(above)))),
  ),
});

const [left, up, corner] = v128Locals('left', 'up', 'corner');

/** Filter type 1: what stands on the left is added, pixel by pixel. */
export const unfilterSub = wasmFunction({
  name: 'unfilter_sub',
  exported: true,
  params: [row, out, count, pixelBytes],
  locals: [i, left],
  body: countUp(i, count, pixelBytes, [
    set(left, i8x16Add(left, v128Load64Zero(pixelAt(row)))),
    v128Store64Lane(0, pixelAt(out), left),
  ]),
});

/**
 * Filter type 3: the mean of both is added, rounded down. The instruction rounds up; of the complements, which `left`
 * and `up` hold, it gives the complement of the mean rounded down.
 */
export const unfilterAverage = wasmFunction({
  name: 'unfilter_average',
  exported: true,
  params: [row, above, out, count, pixelBytes],
  locals: [i, left, up],
  body: [
    set(left, i8x16Const(-1)),
    countUp(i, count, pixelBytes, [
      set(up, v128Not(v128Load64Zero(pixelAt(above)))),
      set(left, i8x16Sub(i8x16AvgrU(left, up), v128Load64Zero(pixelAt(row)))),
      v128Store64Lane(0, pixelAt(out), v128Not(left)),
    ]),
  ],
});

const [byLeft, byUp, byCorner, least] = v128Locals('byLeft', 'byUp', 'byCorner', 'least');
const isLeast = (distance: V128) => i16x8Eq(least, distance);

/** Filter type 4: the one of three neighbours is added that is nearest to left + above - corner. */
export const unfilterPaeth = wasmFunction({
  name: 'unfilter_paeth',
  exported: true,
  params: [row, above, out, count, pixelBytes],
  locals: [i, left, up, corner, byLeft, byUp, byCorner, least],
  body: countUp(i, count, pixelBytes, [
    set(up, v128Load8x8U(pixelAt(above))),
    // How far each neighbour is from that sum.
    set(byLeft, i16x8Sub(up, corner)),
    set(byUp, i16x8Sub(left, corner)),
    set(byCorner, i16x8Abs(i16x8Add(byLeft, byUp))),
    set(byLeft, i16x8Abs(byLeft)),
    set(byUp, i16x8Abs(byUp)),
    set(least, i16x8MinS(i16x8MinS(byLeft, byUp), byCorner)),
    set(left, v128Bitselect(left, v128Bitselect(up, corner, isLeast(byUp)), isLeast(byLeft))),
    set(left, v128And(i16x8Add(left, v128Load8x8U(pixelAt(row))), i16x8Const(255))),
    v128Store64Lane(0, pixelAt(out), i8x16NarrowI16x8U(left, left)),
    set(corner, up),
  ]),
});
