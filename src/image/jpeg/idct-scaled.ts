/**
 * Inverse DCTs with fewer outputs than a block has samples: each output is the mean of the samples it
 * covers, so that a resampler can treat a reduced image as the full one averaged. (libjpeg's reduced IDCTs
 * instead drop the higher frequencies, which leaves more aliasing and a half-sample shift in the grid.)
 *
 * @see ITU-T T.81 A.3.3 for the transform that is averaged here
 */

const fractionBits = 13;
/** Fraction bits kept between the passes. */
const workspaceBits = 2;
export const pass1Shift = fractionBits - workspaceBits;
export const pass1Half = 1 << (pass1Shift - 1);
export const pass2Shift = fractionBits + workspaceBits;
/** One half, and the level shift of 128. */
export const pass2Bias = (1 << (pass2Shift - 1)) + (128 << pass2Shift);

/** Fixed-point weights of the coefficients in a mean, named by their frequency. */
export const meanWeights = {
  dc: toWeight(4, 0, 0),
  /** Mean of basis function k over output 0 or 1 of four; outputs 2 and 3 mirror them. */
  outer: {
    1: toWeight(4, 0, 1),
    2: toWeight(4, 0, 2),
    3: toWeight(4, 0, 3),
    5: toWeight(4, 0, 5),
    6: toWeight(4, 0, 6),
  },
  inner: {
    1: toWeight(4, 1, 1),
    2: toWeight(4, 1, 2),
    3: toWeight(4, 1, 3),
    5: toWeight(4, 1, 5),
    6: toWeight(4, 1, 6),
  },
  /** The same for the first of two outputs; the second mirrors it. Even frequencies cancel out. */
  half: { 1: toWeight(2, 0, 1), 3: toWeight(2, 0, 3) },
} as const;
const { dc } = meanWeights;
const { 1: outer1, 2: outer2, 3: outer3, 5: outer5, 6: outer6 } = meanWeights.outer;
const { 1: inner1, 2: inner2, 3: inner3, 5: inner5, 6: inner6 } = meanWeights.inner;
const { 1: half1, 3: half3 } = meanWeights.half;

const workspace = new Int32Array(32);

/**
 * The zigzag index behind which coefficients are not worth decoding, by outputs per side: what lies
 * behind contributes less than the rounding of the averaged samples (tensor error measured in
 * test/image/fast-mode.test.ts).
 */
export const lastUsefulCoefficient: Readonly<Record<number, number>> = { 1: 0, 2: 9, 4: 20, 8: 63 };

/** 4 x 4 means of 2 x 2 samples each. Coefficients behind zigzag index 27 are taken as zero. */
export function idct4(block: Int32Array, samples: Uint8ClampedArray, at: number, stride: number): void {
  for (let x = 0; x < 7; x++) {
    if (x === 4) continue; // its even part is zero on average
    const d1 = block[x + 8];
    const d2 = block[x + 16];
    const d3 = block[x + 24];
    const d5 = block[x + 40];
    const d6 = block[x + 48];
    const flat = Math.imul(block[x], dc) + pass1Half;
    const evenOuter = flat + Math.imul(d2, outer2) + Math.imul(d6, outer6);
    const evenInner = flat + Math.imul(d2, inner2) + Math.imul(d6, inner6);
    const oddOuter = Math.imul(d1, outer1) + Math.imul(d3, outer3) + Math.imul(d5, outer5);
    const oddInner = Math.imul(d1, inner1) + Math.imul(d3, inner3) + Math.imul(d5, inner5);
    workspace[x] = (evenOuter + oddOuter) >> pass1Shift;
    workspace[x + 8] = (evenInner + oddInner) >> pass1Shift;
    workspace[x + 16] = (evenInner - oddInner) >> pass1Shift;
    workspace[x + 24] = (evenOuter - oddOuter) >> pass1Shift;
  }
  let to = at;
  for (let row = 0; row < 32; row += 8, to += stride) {
    const d1 = workspace[row + 1];
    const d2 = workspace[row + 2];
    const d3 = workspace[row + 3];
    const d5 = workspace[row + 5];
    const d6 = workspace[row + 6];
    const flat = Math.imul(workspace[row], dc) + pass2Bias;
    const evenOuter = flat + Math.imul(d2, outer2) + Math.imul(d6, outer6);
    const evenInner = flat + Math.imul(d2, inner2) + Math.imul(d6, inner6);
    const oddOuter = Math.imul(d1, outer1) + Math.imul(d3, outer3) + Math.imul(d5, outer5);
    const oddInner = Math.imul(d1, inner1) + Math.imul(d3, inner3) + Math.imul(d5, inner5);
    samples[to] = (evenOuter + oddOuter) >> pass2Shift;
    samples[to + 1] = (evenInner + oddInner) >> pass2Shift;
    samples[to + 2] = (evenInner - oddInner) >> pass2Shift;
    samples[to + 3] = (evenOuter - oddOuter) >> pass2Shift;
  }
}

/** 2 x 2 means of 4 x 4 samples each. Of the coefficients, rows and columns 0, 1 and 3 are read. */
export function idct2(block: Int32Array, samples: Uint8ClampedArray, at: number, stride: number): void {
  const even0 = Math.imul(block[0], dc) + pass1Half;
  const odd0 = Math.imul(block[8], half1) + Math.imul(block[24], half3);
  const even1 = Math.imul(block[1], dc) + pass1Half;
  const odd1 = Math.imul(block[9], half1) + Math.imul(block[25], half3);
  const even3 = Math.imul(block[3], dc) + pass1Half;
  const odd3 = Math.imul(block[11], half1) + Math.imul(block[27], half3);

  const upperEven = Math.imul((even0 + odd0) >> pass1Shift, dc) + pass2Bias;
  const upperOdd =
    Math.imul((even1 + odd1) >> pass1Shift, half1) + Math.imul((even3 + odd3) >> pass1Shift, half3);
  const lowerEven = Math.imul((even0 - odd0) >> pass1Shift, dc) + pass2Bias;
  const lowerOdd =
    Math.imul((even1 - odd1) >> pass1Shift, half1) + Math.imul((even3 - odd3) >> pass1Shift, half3);

  samples[at] = (upperEven + upperOdd) >> pass2Shift;
  samples[at + 1] = (upperEven - upperOdd) >> pass2Shift;
  samples[at + stride] = (lowerEven + lowerOdd) >> pass2Shift;
  samples[at + stride + 1] = (lowerEven - lowerOdd) >> pass2Shift;
}

/** Mean of the 8-point basis function `k` over output `index` of `outputs`, as a fixed-point number. */
function toWeight(outputs: number, index: number, k: number): number {
  const width = 8 / outputs;
  let sum = 0;
  for (let x = index * width; x < (index + 1) * width; x++) sum += Math.cos(((2 * x + 1) * k * Math.PI) / 16);
  const normalisation = k === 0 ? Math.SQRT1_2 / 2 : 1 / 2;
  return Math.round((sum / width) * normalisation * (1 << fractionBits));
}
