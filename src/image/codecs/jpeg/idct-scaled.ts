// `!` behind an index: the loops and the checked sizes keep it in range.

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
  outer: { 1: toWeight(4, 0, 1), 2: toWeight(4, 0, 2), 3: toWeight(4, 0, 3) },
  inner: { 1: toWeight(4, 1, 1), 2: toWeight(4, 1, 2), 3: toWeight(4, 1, 3) },
  /** The same for the first of two outputs; the second mirrors it. */
  half: toWeight(2, 0, 1),
} as const;
const { dc, half } = meanWeights;
const { 1: outer1, 2: outer2, 3: outer3 } = meanWeights.outer;
const { 1: inner1, 2: inner2, 3: inner3 } = meanWeights.inner;

const workspace = new Int32Array(16);

/**
 * By outputs per side, the zigzag index of the last coefficient that is worth decoding. Later coefficients change the
 * crop less than the rounding of the averaged samples does, on photos and on drawn edges (tensor error in
 * test/image/fast-mode.test.ts).
 */
export const lastUsefulCoefficient: Readonly<Record<number, number>> = { 1: 0, 2: 4, 4: 13, 8: 63 };

/** 4 x 4 means of 2 x 2 samples each. Reads only rows and columns 0 to 3 of the coefficients. */
export function idct4(block: Int16Array, samples: Uint8ClampedArray, at: number, stride: number): void {
  for (let x = 0; x < 4; x++) {
    const d1 = block[x + 8]!;
    const d2 = block[x + 16]!;
    const d3 = block[x + 24]!;
    const flat = Math.imul(block[x]!, dc) + pass1Half;
    const evenOuter = flat + Math.imul(d2, outer2);
    const evenInner = flat + Math.imul(d2, inner2);
    const oddOuter = Math.imul(d1, outer1) + Math.imul(d3, outer3);
    const oddInner = Math.imul(d1, inner1) + Math.imul(d3, inner3);
    workspace[x] = (evenOuter + oddOuter) >> pass1Shift;
    workspace[x + 4] = (evenInner + oddInner) >> pass1Shift;
    workspace[x + 8] = (evenInner - oddInner) >> pass1Shift;
    workspace[x + 12] = (evenOuter - oddOuter) >> pass1Shift;
  }
  let to = at;
  for (let row = 0; row < 16; row += 4, to += stride) {
    const d1 = workspace[row + 1]!;
    const d2 = workspace[row + 2]!;
    const d3 = workspace[row + 3]!;
    const flat = Math.imul(workspace[row]!, dc) + pass2Bias;
    const evenOuter = flat + Math.imul(d2, outer2);
    const evenInner = flat + Math.imul(d2, inner2);
    const oddOuter = Math.imul(d1, outer1) + Math.imul(d3, outer3);
    const oddInner = Math.imul(d1, inner1) + Math.imul(d3, inner3);
    samples[to] = (evenOuter + oddOuter) >> pass2Shift;
    samples[to + 1] = (evenInner + oddInner) >> pass2Shift;
    samples[to + 2] = (evenInner - oddInner) >> pass2Shift;
    samples[to + 3] = (evenOuter - oddOuter) >> pass2Shift;
  }
}

/** 2 x 2 means of 4 x 4 samples each. Reads only rows and columns 0 and 1 of the coefficients. */
export function idct2(block: Int16Array, samples: Uint8ClampedArray, at: number, stride: number): void {
  const even0 = Math.imul(block[0]!, dc) + pass1Half;
  const odd0 = Math.imul(block[8]!, half);
  const even1 = Math.imul(block[1]!, dc) + pass1Half;
  const odd1 = Math.imul(block[9]!, half);
  const upperEven = Math.imul((even0 + odd0) >> pass1Shift, dc) + pass2Bias;
  const upperOdd = Math.imul((even1 + odd1) >> pass1Shift, half);
  const lowerEven = Math.imul((even0 - odd0) >> pass1Shift, dc) + pass2Bias;
  const lowerOdd = Math.imul((even1 - odd1) >> pass1Shift, half);
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
