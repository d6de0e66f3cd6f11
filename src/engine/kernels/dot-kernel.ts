import { panelChannels, scratch, segmentStep } from './layout.ts';
import { get, i32, increase, repeat, set, toFunction } from './wat.ts';

const vectors = panelChannels / 4;

/**
 * The inner loop everything else exists for: `pixels` output pixels times one panel of 8 output
 * channels. Each step multiplies two neighbouring input elements with 4 x 2 weights
 * (`i32x4.dot_i16x8_s`) and adds into int32. The accumulators stay in registers for the whole
 * reduction; compilers that reorder this loop spill them, so it is written out instruction by
 * instruction.
 *
 * Inputs are read through the pointers in scratch.inputs; results go to scratch.accumulators.
 *
 * @param weightType int8 for direct convolution, int16 for the transformed weights of Winograd.
 */
export function dotKernel(pixels: number, weightType: 'i8' | 'i16'): string {
  const weightBytes = weightType === 'i8' ? 1 : 2;
  const loadWeights = (index: number) =>
    weightType === 'i8'
      ? `(v128.load8x8_s offset=${index * 8} ${get('w')})`
      : `(v128.load offset=${index * 16} ${get('w')})`;
  const acc = (pixel: number, vector: number) => `acc${pixel}_${vector}`;
  const dot = (pixel: number, vector: number) =>
    set(
      acc(pixel, vector),
      `(i32x4.add ${get(acc(pixel, vector))} (i32x4.dot_i16x8_s ${get('x')} ${get(`w${vector}`)}))`,
    );

  const step = (index: number) => `
    ${repeat(vectors, (vector) => set(`w${vector}`, loadWeights(index * vectors + vector)))}
    ${repeat(
      pixels,
      (pixel) => `${set('x', `(v128.load32_splat offset=${index * 4} ${get(`p${pixel}`)})`)}
      ${repeat(vectors, (vector) => dot(pixel, vector))}`,
    )}`;

  return toFunction({
    name: kernelName(pixels, weightType),
    params: ['w', 'segments', 'length', 'skip', 'bias'],
    i32: ['left', ...Array.from({ length: pixels }, (_, pixel) => `p${pixel}`)],
    v128: [
      'x',
      ...Array.from({ length: vectors }, (_, vector) => `w${vector}`),
      ...Array.from({ length: pixels * vectors }, (_, index) =>
        acc(Math.floor(index / vectors), index % vectors),
      ),
    ],
    body: `
    ${repeat(pixels, (pixel) => set(`p${pixel}`, `(i32.load ${i32(scratch.inputs + pixel * 4)})`))}
    ${repeat(vectors, (vector) => set(acc(0, vector), `(v128.load offset=${vector * 16} ${get('bias')})`))}
    ${repeat(pixels - 1, (index) => repeat(vectors, (vector) => set(acc(index + 1, vector), get(acc(0, vector)))))}
    (loop $segment
      ${set('left', get('length'))}
      (loop $element
        ${repeat(segmentStep / 2, step)}
        ${increase('w', i32((segmentStep / 2) * vectors * 8 * weightBytes))}
        ${repeat(pixels, (pixel) => increase(`p${pixel}`, i32(segmentStep * 2)))}
        (br_if $element (local.tee $left (i32.sub ${get('left')} ${i32(segmentStep)}))))
      ${repeat(pixels, (pixel) => increase(`p${pixel}`, get('skip')))}
      (br_if $segment (local.tee $segments (i32.sub ${get('segments')} (i32.const 1)))))
    ${repeat(pixels, (pixel) =>
      repeat(
        vectors,
        (vector) =>
          `(v128.store ${i32(scratch.accumulators + (pixel * vectors + vector) * 16)} ${get(acc(pixel, vector))})`,
      ),
    )}`,
  });
}

export function kernelName(pixels: number, weightType: 'i8' | 'i16'): string {
  return `dot_${weightType}_${pixels}`;
}

/** Calls the kernel for `$count` pixels, 1 to `most`. */
export function callKernel(most: number, weightType: 'i8' | 'i16', args: string): string {
  const cases = Array.from({ length: most }, (_, index) => index + 1);
  return cases.reduceRight(
    (rest, pixels) =>
      `(if (i32.eq ${get('count')} ${i32(pixels)}) (then (call $${kernelName(pixels, weightType)} ${args})) (else ${rest}))`,
    '(unreachable)',
  );
}
