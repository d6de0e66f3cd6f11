import { block, branchIf, increase, loop, repeat, set, tee, when } from '../../lib/wasm-text/control.ts';
import {
  type Body,
  type I32,
  i32Local,
  i32Locals,
  type V128,
  v128Local,
} from '../../lib/wasm-text/expression.ts';
import { i32Eqz, i32GeS, i32LtS, i32Sub } from '../../lib/wasm-text/integers.ts';
import { at, v128Load, v128Load8x8S, v128Load32Splat } from '../../lib/wasm-text/memory.ts';
import { i32x4Add, i32x4DotI16x8S, i32x4RelaxedDotI8x16I7x16AddS } from '../../lib/wasm-text/vectors.ts';
import { panelChannels, segmentStep, shortStep } from '../kernel-layout.ts';

export const vectors = panelChannels / 4;

/** Address of the weights that come next. */
export const weightPointer = i32Local('weightPointer');
/** Elements that are left of a segment; segments that are left. */
export const [left, segments] = i32Locals('left', 'segments');
/** Segments that are left of a kernel row, where a row has several. */
const rowSegments = i32Local('rowSegments');
/** A few inputs of one pixel, and their weights for 4 output channels. */
const input = v128Local('input');
const weights = (vector: number) => v128Local(`weights${vector}`);
/** Address of the inputs of a pixel that come next. */
export const pointer = (pixel: number) => i32Local(`pointer${pixel}`);
export const accumulator = (pixel: number, vector: number) => v128Local(`accumulator${pixel}_${vector}`);

/** One instruction that multiplies a few elements of an input with weights of 4 output channels. */
export interface DotOperands {
  /** Elements of the reduction that one instruction takes in each of its four lanes. */
  readonly depth: 2 | 4;
  readonly elementBytes: 1 | 2;
  /** Bytes of 4 channels' weights. */
  readonly weightBytes: number;
  loadWeights(offset: number): V128;
  /** `sums` + x . w, four lanes of int32. */
  dot(sums: V128, x: V128, w: V128): V128;
}

/** int16 activations, int8 weights widened on their way. */
export const plainOperands: DotOperands = {
  depth: 2,
  elementBytes: 2,
  weightBytes: 8,
  loadWeights: (offset) => v128Load8x8S(at(weightPointer, offset)),
  dot: (sums, x, w) => i32x4Add(sums, i32x4DotI16x8S(x, w)),
};

/** int16 activations, a panel of int16 weights: widened once for all pixels, or transformed by Winograd. */
export const widenedOperands: DotOperands = {
  ...plainOperands,
  weightBytes: 16,
  loadWeights: (offset) => v128Load(at(weightPointer, offset)),
};

/**
 * U8 activations, int8 weights. The specification leaves open how a second operand with its top bit set is read. If the
 * engine's probe finds that it is read as unsigned and that nothing saturates (x64 with AVX-VNNI), the result is exact.
 */
export const relaxedOperands: DotOperands = {
  depth: 4,
  elementBytes: 1,
  weightBytes: 16,
  loadWeights: (offset) => v128Load(at(weightPointer, offset)),
  dot: (sums, x, w) => i32x4RelaxedDotI8x16I7x16AddS(w, x, sums),
};

const range = (count: number) => Array.from({ length: count }, (_, index) => index);

export const dotLoopLocals = (pixels: number) => [
  ...[left, segments, rowSegments, ...range(pixels).map(pointer)],
  input,
  ...range(vectors).map(weights),
  ...range(pixels).flatMap((pixel) => range(vectors).map((vector) => accumulator(pixel, vector))),
];

/** The products of so many elements of each pixel; pointers move behind them. */
function multiplyElements(elements: number, pixels: number, operands: DotOperands): Body {
  const { depth, elementBytes, weightBytes } = operands;
  const step = (index: number) => [
    repeat(vectors, (vector) =>
      set(weights(vector), operands.loadWeights((index * vectors + vector) * weightBytes)),
    ),
    repeat(pixels, (pixel) => [
      set(input, v128Load32Splat(at(pointer(pixel), index * 4))),
      repeat(vectors, (vector) => {
        const sums = accumulator(pixel, vector);
        return set(sums, operands.dot(sums, input, weights(vector)));
      }),
    ]),
  ];
  return [
    repeat(elements / depth, step),
    increase(weightPointer, (elements / depth) * vectors * weightBytes),
    repeat(pixels, (pixel) => increase(pointer(pixel), elements * elementBytes)),
    increase(left, -elements),
  ];
}

interface DotLoopParts {
  readonly bias: I32;
  readonly length: I32;
  readonly skip?: I32;
  readonly rows?: { readonly segments: I32; readonly skip: I32 };
  readonly isLong?: boolean;
}

/**
 * The inner loop, which takes most of the time: `pixels` output pixels times one panel of 8 output channels. The
 * accumulators stay in registers for the whole reduction. A compiler that reorders this loop spills them, so it is written
 * instruction by instruction.
 *
 * It expects `weightPointer`, the pointers and `segments` to be set. It leaves the sums in the accumulators, and
 * `weightPointer` behind the panel.
 *
 * @param parts.bias address of 8 int32.
 * @param parts.length elements of a segment.
 * @param parts.skip bytes between segments: given if there may be more than one.
 * @param parts.isLong whether twice as many elements are written out, where a segment has them: 1 % less time.
 * @param parts.rows if a kernel row has several segments: how many, and the bytes between two rows beyond `skip`.
 */
export function dotLoop(
  pixels: number,
  operands: DotOperands,
  { bias, length, skip, rows, isLong = false }: DotLoopParts,
): Body {
  const inSteps = (elements: number) =>
    block(`shorter${elements}`, (shorter) => [
      branchIf(shorter, i32LtS(left, elements)),
      loop('element', (element) => [
        multiplyElements(elements, pixels, operands),
        branchIf(element, i32GeS(left, elements)),
      ]),
    ]);
  const segment = [
    set(left, length),
    isLong ? inSteps(2 * segmentStep) : [],
    inSteps(segmentStep),
    when(left, multiplyElements(shortStep, pixels, operands)),
  ];
  return [
    rows ? set(rowSegments, rows.segments) : [],
    repeat(vectors, (vector) => set(accumulator(0, vector), v128Load(at(bias, vector * 16)))),
    repeat(pixels - 1, (index) =>
      repeat(vectors, (vector) => set(accumulator(index + 1, vector), accumulator(0, vector))),
    ),
    skip
      ? loop('segment', (nextSegment) => [
          segment,
          repeat(pixels, (pixel) => increase(pointer(pixel), skip)),
          rows
            ? when(i32Eqz(tee(rowSegments, i32Sub(rowSegments, 1))), [
                set(rowSegments, rows.segments),
                repeat(pixels, (pixel) => increase(pointer(pixel), rows.skip)),
              ])
            : [],
          branchIf(nextSegment, tee(segments, i32Sub(segments, 1))),
        ])
      : segment,
  ];
}
