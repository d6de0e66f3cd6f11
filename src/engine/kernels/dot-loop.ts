import { get, i32, increase, repeat, set } from '../../lib/wasm-text/wat.ts';
import { panelChannels, segmentStep, shortStep } from '../kernel-layout.ts';

export const vectors = panelChannels / 4;

/** One instruction that multiplies a few elements of an input with weights of 4 output channels. */
export interface DotOperands {
  /** Elements of the reduction that one instruction takes in each of its four lanes. */
  readonly depth: 2 | 4;
  readonly elementBytes: 1 | 2;
  /** Bytes of 4 channels' weights. */
  readonly weightBytes: number;
  loadWeights(offset: number): string;
  /** `acc` + x . w, four lanes of int32. */
  dot(acc: string, x: string, w: string): string;
}

const plainDot = (acc: string, x: string, w: string) => `(i32x4.add ${acc} (i32x4.dot_i16x8_s ${x} ${w}))`;

/** int16 activations, int8 weights widened on their way. */
export const plainOperands: DotOperands = {
  depth: 2,
  elementBytes: 2,
  weightBytes: 8,
  loadWeights: (offset) => `(v128.load8x8_s offset=${offset} ${get('w')})`,
  dot: plainDot,
};

/** int16 activations, a panel of int16 weights: widened once for all pixels, or transformed by Winograd. */
export const widenedOperands: DotOperands = {
  ...plainOperands,
  weightBytes: 16,
  loadWeights: (offset) => `(v128.load offset=${offset} ${get('w')})`,
};

/**
 * U8 activations, int8 weights. The specification leaves open what happens where the second operand
 * has its top bit set; where the engine's probe finds that it is taken as unsigned and nothing
 * saturates (x64 with AVX-VNNI), the result is exact.
 */
export const relaxedOperands: DotOperands = {
  depth: 4,
  elementBytes: 1,
  weightBytes: 16,
  loadWeights: (offset) => `(v128.load offset=${offset} ${get('w')})`,
  dot: (acc, x, w) => `(i32x4.relaxed_dot_i8x16_i7x16_add_s ${w} ${x} ${acc})`,
};

export const accumulator = (pixel: number, vector: number) => `acc${pixel}_${vector}`;
export const pointer = (pixel: number) => `p${pixel}`;
const range = (count: number) => Array.from({ length: count }, (_, index) => index);

export const dotLoopLocals = (pixels: number) => ({
  i32: ['left', 'segments', ...range(pixels).map(pointer)],
  v128: [
    'x',
    ...range(vectors).map((vector) => `w${vector}`),
    ...range(pixels).flatMap((pixel) => range(vectors).map((vector) => accumulator(pixel, vector))),
  ],
});

/**
 * The inner loop everything else exists for: `pixels` output pixels times one panel of 8 output
 * channels. The accumulators stay in registers for the whole reduction; compilers that reorder this
 * loop spill them, so it is written out instruction by instruction.
 *
 * Expects in locals: `w`, the pointers, `segments`; as expressions: the address of the bias, the
 * length of a segment in elements, the bytes to skip between segments. Leaves the sums in the
 * accumulators, and `w` behind the panel.
 */
export function dotLoop(
  pixels: number,
  operands: DotOperands,
  { bias, length, skip }: { readonly bias: string; readonly length: string; readonly skip?: string },
): string {
  const { depth, elementBytes, weightBytes } = operands;
  const step = (index: number) => `
    ${repeat(vectors, (vector) => set(`w${vector}`, operands.loadWeights((index * vectors + vector) * weightBytes)))}
    ${repeat(
      pixels,
      (pixel) => `
      ${set('x', `(v128.load32_splat offset=${index * 4} ${get(pointer(pixel))})`)}
      ${repeat(vectors, (vector) => {
        const name = accumulator(pixel, vector);
        return set(name, operands.dot(get(name), get('x'), get(`w${vector}`)));
      })}`,
    )}`;
  const steps = (elements: number) => `
    ${repeat(elements / depth, step)}
    ${increase('w', i32((elements / depth) * vectors * weightBytes))}
    ${repeat(pixels, (pixel) => increase(pointer(pixel), i32(elements * elementBytes)))}
    ${increase('left', i32(-elements))}`;
  const segment = `
    ${set('left', length)}
    (block $short
      (br_if $short (i32.lt_s ${get('left')} ${i32(segmentStep)}))
      (loop $element
        ${steps(segmentStep)}
        (br_if $element (i32.ge_s ${get('left')} ${i32(segmentStep)}))))
    (if ${get('left')} (then ${steps(shortStep)}))`;
  return `
    ${repeat(vectors, (vector) => set(accumulator(0, vector), `(v128.load offset=${vector * 16} ${bias})`))}
    ${repeat(pixels - 1, (index) =>
      repeat(vectors, (vector) => set(accumulator(index + 1, vector), get(accumulator(0, vector)))),
    )}
    ${
      skip
        ? `(loop $segment
      ${segment}
      ${repeat(pixels, (pixel) => increase(pointer(pixel), skip))}
      (br_if $segment (local.tee $segments (i32.sub ${get('segments')} (i32.const 1)))))`
        : segment
    }`;
}
