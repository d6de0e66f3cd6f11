import {
  block,
  branch,
  branchIf,
  countUp,
  increase,
  loop,
  set,
  when,
} from '../../../../lib/wasm-text/control.ts';
import {
  type Body,
  i32Local,
  i32Locals,
  type Local,
  type Operand,
  v128Locals,
} from '../../../../lib/wasm-text/expression.ts';
import { wasmFunction } from '../../../../lib/wasm-text/function.ts';
import { i32Add, i32Eq, i32GtS } from '../../../../lib/wasm-text/integers.ts';
import {
  at,
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
  i16x8Add,
  i16x8LeS,
  i16x8MaxS,
  i16x8MinS,
  i16x8Sub,
  v128And,
  v128Andnot,
  v128Not,
  v128Or,
} from '../../../../lib/wasm-text/vectors.ts';

/**
 * Rows of PNG, filtered at `row`, to the samples at `out`; `above` are those of the row above. They read and write up
 * to 15 bytes behind the last, and what lies there in `out` is of no meaning. A pixel has 1 to 8 bytes.
 *
 * @see PNG third edition, 9.2 (filter types)
 */
const [row, above, out, count, pixelBytes] = i32Locals('row', 'above', 'out', 'count', 'pixelBytes');
/** Bytes that are done. */
const done = i32Local('done');
const placeOf = (start: typeof row) => i32Add(start, done);

/** Filter type 2: what stands above is added. */
export const unfilterUp = wasmFunction({
  name: 'unfilter_up',
  exported: true,
  params: [row, above, out, count],
  locals: [done],
  body: countUp(
    done,
    count,
    16,
    v128Store(placeOf(out), i8x16Add(v128Load(placeOf(row)), v128Load(placeOf(above)))),
  ),
});

/** Sizes of a pixel for which several are written out in a row: RGB and RGBA of 8 bits. */
const commonPixelBytes = [3, 4] as const;
const pixelsPerTurn = 4;

/** Does `body` as long as so many bytes are left. */
const whileLeft = (name: string, bytes: Operand<'i32'>, body: Body) =>
  block(`${name}_done`, (end) =>
    loop(name, (next) => [
      branchIf(end, i32GtS(i32Add(done, bytes), count)),
      body,
      increase(done, bytes),
      branch(next),
    ]),
  );

/**
 * A filter that goes from pixel to pixel.
 *
 * @param addresses its parameters before the size of a pixel; @param vectors its locals.
 * @param pixel what is done to the pixel that begins so many bytes behind `done`.
 */
function pixelwise<const P extends readonly Local<'i32'>[]>(
  name: string,
  addresses: P,
  vectors: readonly Local<'v128'>[],
  pixel: (offset: number) => Body,
  before: Body = [],
) {
  const inTurns = (bytes: number) =>
    when(
      i32Eq(pixelBytes, bytes),
      whileLeft(
        `turn_${bytes}`,
        bytes * pixelsPerTurn,
        Array.from({ length: pixelsPerTurn }, (_, index) => pixel(index * bytes)),
      ),
    );
  return wasmFunction({
    name,
    exported: true,
    params: [...addresses, pixelBytes],
    locals: [done, ...vectors],
    body: [before, commonPixelBytes.map(inTurns), whileLeft('pixel', pixelBytes, pixel(0))],
  });
}

const from = (start: typeof row, offset: number) => at(placeOf(start), offset);
const [left, up, corner] = v128Locals('left', 'up', 'corner');

/** Filter type 1: what stands on the left is added. */
export const unfilterSub = pixelwise('unfilter_sub', [row, out, count], [left], (offset) => [
  set(left, i8x16Add(left, v128Load64Zero(from(row, offset)))),
  v128Store64Lane(0, from(out, offset), left),
]);

/**
 * Filter type 3: the mean of both is added, rounded down. The instruction rounds up; of the complements, which `left`
 * and `up` hold, it gives the complement of the mean rounded down.
 */
export const unfilterAverage = pixelwise(
  'unfilter_average',
  [row, above, out, count],
  [left, up],
  (offset) => [
    set(up, v128Not(v128Load64Zero(from(above, offset)))),
    set(left, i8x16Sub(i8x16AvgrU(left, up), v128Load64Zero(from(row, offset)))),
    v128Store64Lane(0, from(out, offset), v128Not(left)),
  ],
  set(left, i8x16Const(-1)),
);

const [threshold, lower, higher, isLower, isHigher] = v128Locals(
  'threshold',
  'lower',
  'higher',
  'isLower',
  'isHigher',
);

/**
 * Filter type 4: the one of three neighbours is added that is nearest to left + above - corner. That is the lower of
 * left and above where the higher one is at most 3 x corner - left - above; the higher one where that is at most the
 * lower one; else the corner. Where both hold, both are the same.
 *
 * @see stb_image.h, `stbi__paeth`
 */
export const unfilterPaeth = pixelwise(
  'unfilter_paeth',
  [row, above, out, count],
  [left, up, corner, threshold, lower, higher, isLower, isHigher],
  (offset) => [
    set(up, v128Load8x8U(from(above, offset))),
    set(threshold, i16x8Sub(i16x8Sub(i16x8Add(corner, i16x8Add(corner, corner)), up), left)),
    set(lower, i16x8MinS(left, up)),
    set(higher, i16x8MaxS(left, up)),
    set(isLower, i16x8LeS(higher, threshold)),
    set(isHigher, i16x8LeS(threshold, lower)),
    set(
      left,
      v128Or(
        v128Andnot(corner, v128Or(isLower, isHigher)),
        v128Or(v128And(lower, isLower), v128And(higher, isHigher)),
      ),
    ),
    // Bytes in lanes of 16 bits: added as bytes, they stay so.
    set(left, i8x16Add(left, v128Load8x8U(from(row, offset)))),
    v128Store64Lane(0, from(out, offset), i8x16NarrowI16x8U(left, left)),
    set(corner, up),
  ],
);
