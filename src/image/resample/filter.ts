import type { PreprocessSpec } from '../preprocess-spec.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** Weights are fixed-point numbers with this many bits behind the point. */
export const precisionBits = 22;
/** One half: added before the shift, so that it rounds. */
export const roundingBias = 1 << (precisionBits - 1);

/**
 * For each of `count` outputs along one axis: the run of inputs it is made of and their weights.
 * Both `start` and `start + length` never decrease from one output to the next.
 */
export interface ResampleFilter {
  readonly count: number;
  /** First input of output i. */
  readonly start: Int32Array;
  /** Number of inputs of output i. */
  readonly length: Int32Array;
  /** Index in `weights` of output i's first weight. */
  readonly offset: Int32Array;
  readonly weights: Int32Array;
}

interface Filter {
  /** Half the filter's width, in output pixels. */
  readonly support: number;
  weigh(distance: number): number;
}

/** @see Pillow src/libImaging/Resample.c, `bilinear_filter` and `bicubic_filter` (a = -0.5) */
const filters: Readonly<Record<PreprocessSpec['interpolation'], Filter>> = {
  bilinear: {
    support: 1,
    weigh: (distance) => {
      const x = Math.abs(distance);
      return x < 1 ? 1 - x : 0;
    },
  },
  bicubic: {
    support: 2,
    weigh: (distance) => {
      const a = -0.5;
      const x = Math.abs(distance);
      if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
      if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
      return 0;
    },
  },
};

/**
 * The weights with which Pillow resizes `inputSize` samples to `outputSize`, for the outputs
 * [first, first + count) alone. Antialiased: the filter widens with the ratio when it shrinks.
 *
 * @see Pillow src/libImaging/Resample.c, `precompute_coeffs` and `normalize_coeffs_8bpc`
 */
export function toResampleFilter(
  inputSize: number,
  outputSize: number,
  first: number,
  count: number,
  interpolation: PreprocessSpec['interpolation'],
): ResampleFilter {
  const filter = filters[interpolation];
  const scale = inputSize / outputSize;
  const filterScale = Math.max(scale, 1);
  const support = filter.support * filterScale;
  const inverse = 1 / filterScale;

  const start = new Int32Array(count);
  const length = new Int32Array(count);
  const offset = new Int32Array(count);
  let total = 0;
  for (let i = 0; i < count; i++) {
    const center = (first + i + 0.5) * scale;
    start[i] = Math.max(0, Math.trunc(center - support + 0.5));
    length[i] = Math.min(inputSize, Math.trunc(center + support + 0.5)) - start[i]!;
    offset[i] = total;
    total += length[i]!;
  }

  const weights = new Int32Array(total);
  const unscaled = new Float64Array(Math.ceil(support) * 2 + 1);
  for (let i = 0; i < count; i++) {
    const center = (first + i + 0.5) * scale;
    let sum = 0;
    for (let j = 0; j < length[i]!; j++) {
      unscaled[j] = filter.weigh((j + start[i]! - center + 0.5) * inverse);
      sum += unscaled[j]!;
    }
    for (let j = 0; j < length[i]!; j++) {
      weights[offset[i]! + j] = toFixedPoint(sum === 0 ? unscaled[j]! : unscaled[j]! / sum);
    }
  }
  return { count, start, length, offset, weights };
}

/**
 * The same filter for an axis stored in the opposite direction. Outputs are reversed as well, so that
 * `start` still ascends: output i of the mirrored filter is output `count - 1 - i` of the original.
 */
export function mirrorFilter(filter: ResampleFilter, inputSize: number): ResampleFilter {
  const { count } = filter;
  const start = new Int32Array(count);
  const length = new Int32Array(count);
  const offset = new Int32Array(count);
  const weights = filter.weights.slice().reverse();
  for (let i = 0; i < count; i++) {
    const original = count - 1 - i;
    length[i] = filter.length[original]!;
    start[i] = inputSize - filter.start[original]! - length[i]!;
    offset[i] = weights.length - filter.offset[original]! - length[i]!;
  }
  return { count, start, length, offset, weights };
}

/**
 * The filter for an input that arrives as means over cells of `cellSize` samples: the weight of a cell
 * is the sum of its samples' weights. This is what a scaled decode is resampled with.
 *
 * @param inputSize of the unscaled axis; its last cell may be cut short.
 */
export function binFilter(filter: ResampleFilter, cellSize: number): ResampleFilter {
  const { count } = filter;
  const start = new Int32Array(count);
  const length = new Int32Array(count);
  const offset = new Int32Array(count);
  let total = 0;
  for (let i = 0; i < count; i++) {
    const last = filter.start[i]! + filter.length[i]! - 1;
    start[i] = Math.floor(filter.start[i]! / cellSize);
    length[i] = Math.floor(last / cellSize) - start[i]! + 1;
    offset[i] = total;
    total += length[i]!;
  }
  const weights = new Int32Array(total);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < filter.length[i]!; j++) {
      const cell = Math.floor((filter.start[i]! + j) / cellSize);
      weights[offset[i]! + cell - start[i]!]! += filter.weights[filter.offset[i]! + j]!;
    }
  }
  return { count, start, length, offset, weights };
}

/** First input that any output reads. */
export function filterStart(filter: ResampleFilter): number {
  return filter.start[0]!;
}

/** One past the last input that any output reads. */
export function filterEnd(filter: ResampleFilter): number {
  const last = filter.count - 1;
  return filter.start[last]! + filter.length[last]!;
}

/** The largest number of outputs that one input contributes to. */
export function filterOverlap(filter: ResampleFilter): number {
  let overlap = 1;
  let oldest = 0;
  for (let i = 0; i < filter.count; i++) {
    while (filter.start[oldest]! + filter.length[oldest]! <= filter.start[i]!) oldest++;
    overlap = Math.max(overlap, i - oldest + 1);
  }
  return overlap;
}

/**
 * For filters in which no input belongs to more than two outputs: the weights in the order of the inputs.
 *
 * @returns for each input from the filter's start on, its weight in the first output that is not finished
 *   before it, then that in the output after; undefined if some input belongs to more.
 */
export function toPairedWeights(filter: ResampleFilter): Int32Array | undefined {
  if (filterOverlap(filter) > 2) return undefined;
  const weights = new Int32Array((filterEnd(filter) - filterStart(filter)) * 2);
  let x = filterStart(filter);
  let at = 0;
  for (let i = 0; i < filter.count; i++) {
    const end = filter.start[i]! + filter.length[i]!;
    for (; x < end; x++) {
      weights[at++] = weightOf(filter, i, x);
      weights[at++] = i + 1 < filter.count ? weightOf(filter, i + 1, x) : 0;
    }
  }
  return weights;
}

function weightOf({ start, length, offset, weights }: ResampleFilter, output: number, input: number): number {
  const tap = input - start[output]!;
  return tap >= 0 && tap < length[output]! ? weights[offset[output]! + tap]! : 0;
}

/** Away from zero at one half, as C's truncating cast makes it. */
function toFixedPoint(weight: number): number {
  return Math.trunc((weight < 0 ? -0.5 : 0.5) + weight * (1 << precisionBits));
}
