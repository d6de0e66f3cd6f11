/** Even, so that 0 is an edge between two bins; an eighth of a UInt8 step or finer in the worst case. */
const binCount = 16_384;

/**
 * The distribution of an activation tensor's values over all calibration images, in constant memory (128 kB). Bins are
 * symmetric around 0. When a value falls outside, pairs of bins merge and the histogram covers twice the range, so one
 * pass over the images is enough and no count is lost.
 */
export interface ActivationHistogram {
  readonly min: number;
  readonly max: number;
  readonly total: number;
  /** Values that are exactly 0 (ReLU makes many): in no bin, because quantization keeps them exact. */
  readonly zeros: number;
  /** Bin i counts values in [(i - counts.length / 2) * binWidth, ... + binWidth). */
  readonly counts: Float64Array;
  readonly binWidth: number;
  /** @throws {RangeError} If a value is NaN or infinite. */
  add(values: Float32Array): void;
}

export function createActivationHistogram(): ActivationHistogram {
  const half = binCount / 2;
  const counts = new Float64Array(binCount);
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let total = 0;
  let zeros = 0;
  let binWidth = 0;

  function widenTo(reach: number): void {
    if (reach === 0) return;
    if (binWidth === 0) binWidth = reach / (half - 1);
    while (reach >= binWidth * half) {
      mergePairs(counts);
      binWidth *= 2;
    }
  }

  return {
    get min() {
      return min;
    },
    get max() {
      return max;
    },
    get total() {
      return total;
    },
    get zeros() {
      return zeros;
    },
    get binWidth() {
      return binWidth;
    },
    counts,
    add(values) {
      let low = min;
      let high = max;
      for (let i = 0; i < values.length; i++) {
        const value = values[i]!;
        // Written so that NaN fails it too.
        if (!(Math.abs(value) < Number.POSITIVE_INFINITY)) {
          throw new RangeError(`element ${i} of the activation is ${value}`);
        }
        if (value < low) low = value;
        if (value > high) high = value;
      }
      min = low;
      max = high;
      widenTo(Math.max(Math.abs(low), Math.abs(high)));
      for (let i = 0; i < values.length; i++) {
        const value = values[i]!;
        if (value === 0) zeros++;
        else counts[Math.floor(value / binWidth) + half]!++;
      }
      total += values.length;
    },
  };
}

/** Halves the resolution around the middle: the merged bins take the inner half, the outer half empties. */
function mergePairs(counts: Float64Array): void {
  const half = counts.length / 2;
  const merged = new Float64Array(counts.length);
  for (let i = 0; i < counts.length; i++) {
    const target = Math.floor((i - half) / 2) + half;
    merged[target] = merged[target]! + counts[i]!;
  }
  counts.set(merged);
}
