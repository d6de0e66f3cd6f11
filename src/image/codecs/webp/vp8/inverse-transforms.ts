import { workspaceStride } from './workspace.ts';

/** sqrt(2) * cos(pi / 8) - 1 and sqrt(2) * sin(pi / 8), of 65536. @see RFC 6386 section 14.3 */
export const cosineMinusOne = 20_091;
export const sine = 35_468;

const timesCosine = (value: number) => (Math.imul(value, cosineMinusOne) >> 16) + value;
const timesSine = (value: number) => Math.imul(value, sine) >> 16;

const columns = new Int32Array(16);

/**
 * Adds the inverse DCT of 4 x 4 coefficients to samples, which are clamped.
 *
 * Indexes are in range: 16 coefficients, 4 x 4 samples. Sums are modulo 2^32.
 *
 * @param samples rows of `workspaceStride`.
 * @see RFC 6386 section 14.3, 14.5
 */
export function addInverseDct(
  coefficients: Int16Array,
  from: number,
  samples: Uint8ClampedArray,
  to: number,
): void {
  for (let i = 0; i < 4; i++) {
    const in0 = coefficients[from + i]!;
    const in1 = coefficients[from + 4 + i]!;
    const in2 = coefficients[from + 8 + i]!;
    const in3 = coefficients[from + 12 + i]!;
    const a = in0 + in2;
    const b = in0 - in2;
    const c = timesSine(in1) - timesCosine(in3);
    const d = timesCosine(in1) + timesSine(in3);
    columns[4 * i] = a + d;
    columns[4 * i + 1] = b + c;
    columns[4 * i + 2] = b - c;
    columns[4 * i + 3] = a - d;
  }
  for (let i = 0; i < 4; i++) {
    const dc = columns[i]! + 4;
    const in1 = columns[4 + i]!;
    const in2 = columns[8 + i]!;
    const in3 = columns[12 + i]!;
    const a = dc + in2;
    const b = dc - in2;
    const c = timesSine(in1) - timesCosine(in3);
    const d = timesCosine(in1) + timesSine(in3);
    const row = to + i * workspaceStride;
    samples[row] = samples[row]! + ((a + d) >> 3);
    samples[row + 1] = samples[row + 1]! + ((b + c) >> 3);
    samples[row + 2] = samples[row + 2]! + ((b - c) >> 3);
    samples[row + 3] = samples[row + 3]! + ((a - d) >> 3);
  }
}

/** The same of a block that has no coefficient but its DC. */
export function addDc(dc: number, samples: Uint8ClampedArray, to: number): void {
  const value = (dc + 4) >> 3;
  for (let y = 0; y < 4; y++) {
    const row = to + y * workspaceStride;
    for (let x = row; x < row + 4; x++) samples[x] = samples[x]! + value;
  }
}

/**
 * The inverse Walsh-Hadamard transform of 16 coefficients, as DCs of the 16 blocks of luma.
 *
 * @param out 16 coefficients a block, of which the first is set. Indexes are in range for 16 blocks.
 * @see RFC 6386 section 14.3
 */
export function inverseWht(coefficients: Int16Array, out: Int16Array): void {
  for (let i = 0; i < 4; i++) {
    const a0 = coefficients[i]! + coefficients[12 + i]!;
    const a1 = coefficients[4 + i]! + coefficients[8 + i]!;
    const a2 = coefficients[4 + i]! - coefficients[8 + i]!;
    const a3 = coefficients[i]! - coefficients[12 + i]!;
    columns[i] = a0 + a1;
    columns[8 + i] = a0 - a1;
    columns[4 + i] = a3 + a2;
    columns[12 + i] = a3 - a2;
  }
  for (let i = 0; i < 4; i++) {
    const dc = columns[4 * i]! + 3;
    const a0 = dc + columns[4 * i + 3]!;
    const a1 = columns[4 * i + 1]! + columns[4 * i + 2]!;
    const a2 = columns[4 * i + 1]! - columns[4 * i + 2]!;
    const a3 = dc - columns[4 * i + 3]!;
    out[64 * i] = (a0 + a1) >> 3;
    out[64 * i + 16] = (a3 + a2) >> 3;
    out[64 * i + 32] = (a0 - a1) >> 3;
    out[64 * i + 48] = (a3 - a2) >> 3;
  }
}
