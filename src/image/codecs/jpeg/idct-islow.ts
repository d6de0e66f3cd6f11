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
export const pass1Bits = 2;
export const pass1Shift = constBits - pass1Bits;
/** The second pass also divides by 8, because each pass leaves in a factor of sqrt(8). */
export const pass2Shift = constBits + pass1Bits + 3;
/** The shift of the second pass for a row in which only the first coefficient is not zero. */
export const flatShift = pass2Shift - constBits;
export const flatHalf = 1 << (flatShift - 1);
/** @see ITU-T T.81 A.3.1 (level shift) */
export const levelShift = 128;
const firstLowerRow = 8;

/** Results of the two passes. All calls share it, because it holds nothing between calls. */
const workspace = new Int16Array(64);
const transformed = new Int16Array(64);

/**
 * 8 x 8 inverse DCT, bit-identical to libjpeg's default method. Where damaged data overflows, it is bit-identical to
 * libjpeg-turbo's: coefficients and sums of two are modulo 2^16, and the results of a pass saturate to 16 bits.
 *
 * @param block 64 dequantized coefficients, row-major.
 * @param samples receives 8 rows of 8 samples, clamped to 0 to 255.
 * @param at index of the first sample; rows are `stride` apart.
 * @see libjpeg jidctint.c `jpeg_idct_islow`; libjpeg-turbo simd/x86_64/jidctint-avx2.asm; C. Loeffler, A. Ligtenberg,
 *   G. Moschytz, "Practical fast 1-D DCT algorithms with 11 multiplications", ICASSP 1989; ITU-T T.81 A.3.3
 */
export function idctIslow(block: Int16Array, samples: Uint8ClampedArray, at: number, stride: number): void {
  if (hasLowerRows(block)) transformColumns(block, pass1Shift, workspace);
  else for (let i = 0; i < 8; i++) workspace.fill(block[i]! << pass1Bits, i * 8, i * 8 + 8);
  transformColumns(workspace, pass2Shift, transformed);
  for (let row = 0, to = at; row < 64; row += 8, to += stride) {
    for (let x = 0; x < 8; x++) samples[to + x] = transformed[row + x]! + levelShift;
  }
}

function hasLowerRows(block: Int16Array): boolean {
  for (let i = firstLowerRow; i < 64; i++) if (block[i] !== 0) return true;
  return false;
}

/** One pass over the columns of `from`. It writes each column to a row of `to`, so the next pass handles the rows. */
function transformColumns(from: Int16Array, shift: number, to: Int16Array): void {
  const half = 1 << (shift - 1);
  for (let i = 0, row = 0; i < 8; i++, row += 8) {
    const d0 = from[i]!;
    const d1 = from[i + 8]!;
    const d2 = from[i + 16]!;
    const d3 = from[i + 24]!;
    const d4 = from[i + 32]!;
    const d5 = from[i + 40]!;
    const d6 = from[i + 48]!;
    const d7 = from[i + 56]!;
    if ((d1 | d2 | d3 | d4 | d5 | d6 | d7) === 0) {
      to.fill(saturate(((d0 << constBits) + half) >> shift), row, row + 8);
      continue;
    }
    // Even part.
    const even2 = Math.imul(d2, fix0541196100) + Math.imul(d6, fix0541196100 - fix1847759065);
    const even3 = Math.imul(d2, fix0541196100 + fix0765366865) + Math.imul(d6, fix0541196100);
    const even0 = (wrap(d0 + d4) << constBits) + half;
    const even1 = (wrap(d0 - d4) << constBits) + half;
    const sum0 = even0 + even3;
    const sum3 = even0 - even3;
    const sum1 = even1 + even2;
    const sum2 = even1 - even2;
    // Odd part.
    const s73 = wrap(d7 + d3);
    const s51 = wrap(d5 + d1);
    const z3 = Math.imul(s73, fix1175875602 - fix1961570560) + Math.imul(s51, fix1175875602);
    const z4 = Math.imul(s73, fix1175875602) + Math.imul(s51, fix1175875602 - fix0390180644);
    const odd0 = Math.imul(d7, fix0298631336 - fix0899976223) - Math.imul(d1, fix0899976223) + z3;
    const odd1 = Math.imul(d5, fix2053119869 - fix2562915447) - Math.imul(d3, fix2562915447) + z4;
    const odd2 = Math.imul(d3, fix3072711026 - fix2562915447) - Math.imul(d5, fix2562915447) + z3;
    const odd3 = Math.imul(d1, fix1501321110 - fix0899976223) - Math.imul(d7, fix0899976223) + z4;

    to[row] = saturate((sum0 + odd3) >> shift);
    to[row + 7] = saturate((sum0 - odd3) >> shift);
    to[row + 1] = saturate((sum1 + odd2) >> shift);
    to[row + 6] = saturate((sum1 - odd2) >> shift);
    to[row + 2] = saturate((sum2 + odd1) >> shift);
    to[row + 5] = saturate((sum2 - odd1) >> shift);
    to[row + 3] = saturate((sum3 + odd0) >> shift);
    to[row + 4] = saturate((sum3 - odd0) >> shift);
  }
}

/** Modulo 2^16. */
function wrap(value: number): number {
  return (value << 16) >> 16;
}

function saturate(value: number): number {
  return Math.max(-32_768, Math.min(value, 32_767));
}

/** The result of the IDCT for a block without AC coefficients: `side` x `side` times one value. */
export function fillFlat(
  dc: number,
  samples: Uint8ClampedArray,
  at: number,
  stride: number,
  side: number,
): void {
  const value = ((wrap(dc << pass1Bits) + flatHalf) >> flatShift) + levelShift;
  for (let y = 0, row = at; y < side; y++, row += stride) {
    for (let x = 0; x < side; x++) samples[row + x] = value;
  }
}
