// `!` behind an index: the loops and the checked sizes keep it in range.

/** Constants of the slow-but-accurate integer method: value x 2^13, rounded. */
export const fix0298631336 = 2446;
export const fix0390180644 = 3196;
export const fix0541196100 = 4433;
export const fix0765366865 = 6270;
export const fix0899976223 = 7373;
export const fix1175875602 = 9633;
export const fix1501321110 = 12299;
export const fix1847759065 = 15137;
export const fix1961570560 = 16069;
export const fix2053119869 = 16819;
export const fix2562915447 = 20995;
export const fix3072711026 = 25172;

export const constBits = 13;
/** Fraction bits kept between the passes. */
const pass1Bits = 2;
export const pass1Shift = constBits - pass1Bits;
export const pass1Half = 1 << (pass1Shift - 1);
/** The second pass also divides by 8: two factors of sqrt(8) that the method leaves in. */
export const pass2Shift = constBits + pass1Bits + 3;
/** One half, and the level shift of 128. @see ITU-T T.81 A.3.1 */
export const pass2Bias = (1 << (pass2Shift - 1)) + (128 << pass2Shift);

/** Between the passes; columns first, as in libjpeg. Shared: nothing in here is kept between calls. */
const workspace = new Int32Array(64);

/**
 * 8 x 8 inverse DCT, bit-identical to libjpeg's and libjpeg-turbo's default method.
 *
 * @param block 64 dequantized coefficients, row-major.
 * @param samples receives 8 rows of 8 samples, clamped to 0 to 255.
 * @param at index of the first sample; rows are `stride` apart.
 * @see libjpeg jidctint.c `jpeg_idct_islow`; C. Loeffler, A. Ligtenberg, G. Moschytz, "Practical fast
 *   1-D DCT algorithms with 11 multiplications", ICASSP 1989; ITU-T T.81 A.3.3
 */
export function idctIslow(block: Int32Array, samples: Uint8ClampedArray, at: number, stride: number): void {
  for (let i = 0; i < 8; i++) {
    const d0 = block[i]!;
    const d1 = block[i + 8]!;
    const d2 = block[i + 16]!;
    const d3 = block[i + 24]!;
    const d4 = block[i + 32]!;
    const d5 = block[i + 40]!;
    const d6 = block[i + 48]!;
    const d7 = block[i + 56]!;
    if ((d1 | d2 | d3 | d4 | d5 | d6 | d7) === 0) {
      const flat = ((d0 << constBits) + pass1Half) >> pass1Shift;
      workspace[i] = flat;
      workspace[i + 8] = flat;
      workspace[i + 16] = flat;
      workspace[i + 24] = flat;
      workspace[i + 32] = flat;
      workspace[i + 40] = flat;
      workspace[i + 48] = flat;
      workspace[i + 56] = flat;
      continue;
    }
    // Even part.
    const z1 = Math.imul(d2 + d6, fix0541196100);
    const even2 = z1 - Math.imul(d6, fix1847759065);
    const even3 = z1 + Math.imul(d2, fix0765366865);
    const even0 = ((d0 + d4) << constBits) + pass1Half;
    const even1 = ((d0 - d4) << constBits) + pass1Half;
    const sum0 = even0 + even3;
    const sum3 = even0 - even3;
    const sum1 = even1 + even2;
    const sum2 = even1 - even2;
    // Odd part.
    const z5 = Math.imul(d7 + d3 + d5 + d1, fix1175875602);
    const z3 = z5 - Math.imul(d7 + d3, fix1961570560);
    const z4 = z5 - Math.imul(d5 + d1, fix0390180644);
    const za = Math.imul(d7 + d1, fix0899976223);
    const zb = Math.imul(d5 + d3, fix2562915447);
    const odd0 = Math.imul(d7, fix0298631336) - za + z3;
    const odd1 = Math.imul(d5, fix2053119869) - zb + z4;
    const odd2 = Math.imul(d3, fix3072711026) - zb + z3;
    const odd3 = Math.imul(d1, fix1501321110) - za + z4;

    workspace[i] = (sum0 + odd3) >> pass1Shift;
    workspace[i + 56] = (sum0 - odd3) >> pass1Shift;
    workspace[i + 8] = (sum1 + odd2) >> pass1Shift;
    workspace[i + 48] = (sum1 - odd2) >> pass1Shift;
    workspace[i + 16] = (sum2 + odd1) >> pass1Shift;
    workspace[i + 40] = (sum2 - odd1) >> pass1Shift;
    workspace[i + 24] = (sum3 + odd0) >> pass1Shift;
    workspace[i + 32] = (sum3 - odd0) >> pass1Shift;
  }

  let to = at;
  for (let row = 0; row < 64; row += 8, to += stride) {
    const d0 = workspace[row]!;
    const d1 = workspace[row + 1]!;
    const d2 = workspace[row + 2]!;
    const d3 = workspace[row + 3]!;
    const d4 = workspace[row + 4]!;
    const d5 = workspace[row + 5]!;
    const d6 = workspace[row + 6]!;
    const d7 = workspace[row + 7]!;

    const z1 = Math.imul(d2 + d6, fix0541196100);
    const even2 = z1 - Math.imul(d6, fix1847759065);
    const even3 = z1 + Math.imul(d2, fix0765366865);
    const even0 = ((d0 + d4) << constBits) + pass2Bias;
    const even1 = ((d0 - d4) << constBits) + pass2Bias;
    const sum0 = even0 + even3;
    const sum3 = even0 - even3;
    const sum1 = even1 + even2;
    const sum2 = even1 - even2;

    const z5 = Math.imul(d7 + d3 + d5 + d1, fix1175875602);
    const z3 = z5 - Math.imul(d7 + d3, fix1961570560);
    const z4 = z5 - Math.imul(d5 + d1, fix0390180644);
    const za = Math.imul(d7 + d1, fix0899976223);
    const zb = Math.imul(d5 + d3, fix2562915447);
    const odd0 = Math.imul(d7, fix0298631336) - za + z3;
    const odd1 = Math.imul(d5, fix2053119869) - zb + z4;
    const odd2 = Math.imul(d3, fix3072711026) - zb + z3;
    const odd3 = Math.imul(d1, fix1501321110) - za + z4;

    samples[to] = (sum0 + odd3) >> pass2Shift;
    samples[to + 7] = (sum0 - odd3) >> pass2Shift;
    samples[to + 1] = (sum1 + odd2) >> pass2Shift;
    samples[to + 6] = (sum1 - odd2) >> pass2Shift;
    samples[to + 2] = (sum2 + odd1) >> pass2Shift;
    samples[to + 5] = (sum2 - odd1) >> pass2Shift;
    samples[to + 3] = (sum3 + odd0) >> pass2Shift;
    samples[to + 4] = (sum3 - odd0) >> pass2Shift;
  }
}

/** The same result for a block whose AC coefficients are all zero: one value, `side` x `side` times. */
export function fillFlat(
  dc: number,
  samples: Uint8ClampedArray,
  at: number,
  stride: number,
  side: number,
): void {
  const value = ((dc + 4) >> 3) + 128;
  for (let y = 0, row = at; y < side; y++, row += stride) {
    for (let x = 0; x < side; x++) samples[row + x] = value;
  }
}
