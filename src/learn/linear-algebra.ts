import { type Pace, withoutPauses } from './pace.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/**
 * Inner products of all pairs of rows.
 *
 * @param rows FP32, `count` of them, all of one length.
 * @returns FP64 (count, count), symmetric.
 */
export async function toGram(
  rows: readonly Float32Array[],
  pace: Pace = withoutPauses,
): Promise<Float64Array> {
  const gram = new Float64Array(rows.length ** 2);
  await addProducts(gram, rows, pace);
  const count = rows.length;
  for (let i = 0; i < count; i++) for (let j = 0; j < i; j++) gram[j * count + i] = gram[i * count + j]!;
  return gram;
}

/**
 * Adds the inner products of all pairs of rows.
 *
 * @param lower FP64 (count, count); the products are added to its lower triangle.
 * @param rows FP32, `count` of them, all of one length.
 */
export async function addProducts(
  lower: Float64Array,
  rows: readonly Float32Array[],
  pace: Pace,
): Promise<void> {
  const count = rows.length;
  // Two rows by two: each value is loaded once for two products.
  for (let i = 0; i < count; i += 2) {
    const a0 = rows[i]!;
    const a1 = rows[Math.min(i + 1, count - 1)]!;
    const pause = pace((i + 2) * 2 * a0.length);
    if (pause) await pause;
    for (let j = 0; j <= i; j += 2) {
      const b0 = rows[j]!;
      const b1 = rows[Math.min(j + 1, count - 1)]!;
      let p00 = 0;
      let p01 = 0;
      let p10 = 0;
      let p11 = 0;
      for (let k = 0; k < a0.length; k++) {
        const x0 = a0[k]!;
        const x1 = a1[k]!;
        const y0 = b0[k]!;
        const y1 = b1[k]!;
        p00 += x0 * y0;
        p01 += x0 * y1;
        p10 += x1 * y0;
        p11 += x1 * y1;
      }
      lower[i * count + j]! += p00;
      if (j < i) lower[i * count + j + 1]! += p01;
      if (i + 1 < count) {
        lower[(i + 1) * count + j]! += p10;
        lower[(i + 1) * count + j + 1]! += p11;
      }
    }
  }
}

/** Inner product, summed in float64 by four sums at once. */
export function dot(a: Float32Array, b: Float32Array): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let i = 0;
  for (; i + 3 < a.length; i += 4) {
    s0 += a[i]! * b[i]!;
    s1 += a[i + 1]! * b[i + 1]!;
    s2 += a[i + 2]! * b[i + 2]!;
    s3 += a[i + 3]! * b[i + 3]!;
  }
  for (; i < a.length; i++) s0 += a[i]! * b[i]!;
  return s0 + s1 + s2 + s3;
}

/**
 * The lower triangle L with L L^T = matrix, in the matrix' own memory.
 *
 * @param matrix FP64 (size, size), symmetric, positive definite; its lower triangle becomes L.
 * @throws {RangeError} if it is not positive definite.
 */
export async function factorCholesky(
  matrix: Float64Array,
  size: number,
  pace: Pace = withoutPauses,
): Promise<void> {
  for (let i = 0; i < size; i++) {
    const pause = pace((i * i) / 2);
    if (pause) await pause;
    const rowI = matrix.subarray(i * size, i * size + size);
    for (let j = 0; j <= i; j++) {
      const rowJ = matrix.subarray(j * size, j * size + size);
      let sum = rowI[j]!;
      for (let k = 0; k < j; k++) sum -= rowI[k]! * rowJ[k]!;
      if (i > j) rowI[j] = sum / rowJ[j]!;
      else if (sum > 0) rowI[i] = Math.sqrt(sum);
      else throw new RangeError(`The matrix is not positive definite at row ${i}.`);
    }
  }
}

/**
 * Solves L L^T X = B in place.
 *
 * @param factor as `factorCholesky` leaves it.
 * @param right FP64 (size, columns); becomes X.
 */
export async function solveCholesky(
  factor: Float64Array,
  size: number,
  right: Float64Array,
  columns: number,
  pace: Pace = withoutPauses,
): Promise<void> {
  for (let i = 0; i < size; i++) {
    const pause = pace(2 * i * columns);
    if (pause) await pause;
    for (let k = 0; k < i; k++) subtractRow(right, i, k, factor[i * size + k]!, columns);
    scaleRow(right, i, 1 / factor[i * size + i]!, columns);
  }
  for (let i = size - 1; i >= 0; i--) {
    const pause = pace(2 * (size - i) * columns);
    if (pause) await pause;
    for (let k = i + 1; k < size; k++) subtractRow(right, i, k, factor[k * size + i]!, columns);
    scaleRow(right, i, 1 / factor[i * size + i]!, columns);
  }
}

/** Row `to` less `factor` times row `from`. */
function subtractRow(matrix: Float64Array, to: number, from: number, factor: number, columns: number): void {
  for (let c = 0; c < columns; c++) matrix[to * columns + c]! -= factor * matrix[from * columns + c]!;
}

function scaleRow(matrix: Float64Array, row: number, factor: number, columns: number): void {
  for (let c = 0; c < columns; c++) matrix[row * columns + c]! *= factor;
}
