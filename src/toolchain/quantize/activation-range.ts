import type { ActivationHistogram } from './activation-histogram.ts';
import { type Range, toUInt8Parameters } from './quantize-values.ts';

export type CalibrationMethod = 'minmax' | 'percentile' | 'mse';

/**
 * The range of values that 256 steps cover. Values outside saturate.
 *
 * - `minmax`: all values.
 * - `percentile`: this share of the values. The rest is split evenly between both ends, as in onnxruntime's percentile
 *   calibration with CalibTensorRangeSymmetric off. Its default, ranges symmetric around 0, would waste half of the steps
 *   of an asymmetric type.
 * - `mse`: the range with the least mean squared error between the values and their quantized selves.
 *
 * @param percentile in (0, 100]; read by `percentile` only.
 * @throws {RangeError} If the percentile is out of range, or the histogram is empty.
 */
export function toActivationRange(
  histogram: ActivationHistogram,
  method: CalibrationMethod,
  percentile: number,
): Range {
  if (histogram.total === 0) throw new RangeError('the histogram holds no values');
  if (!(percentile > 0 && percentile <= 100)) {
    throw new RangeError(`percentile must be above 0 and at most 100, got: ${percentile}`);
  }
  const seen = { min: histogram.min, max: histogram.max };
  if (method === 'minmax' || histogram.binWidth === 0) return seen;
  return method === 'percentile' ? toPercentileRange(histogram, percentile) : toLeastErrorRange(histogram);
}

function toPercentileRange(histogram: ActivationHistogram, percentile: number): Range {
  const { counts, binWidth, total, zeros, min, max } = histogram;
  const cut = (total * (1 - percentile / 100)) / 2;
  const half = counts.length / 2;
  const valueAt = (edge: number) => (edge - half) * binWidth;

  // Zeros are in no bin; they lie between the negative and the positive values.
  let below = 0;
  let low = 0;
  while (low < half && below + counts[low]! <= cut) below += counts[low++]!;
  below += zeros;
  while (below + counts[low]! <= cut) below += counts[low++]!;
  let above = 0;
  let high = counts.length;
  while (high > half && above + counts[high - 1]! <= cut) above += counts[--high]!;
  above += zeros;
  while (above + counts[high - 1]! <= cut) above += counts[--high]!;
  return { min: Math.max(valueAt(low), min), max: Math.min(valueAt(high), max) };
}

/** Shares of the seen range tried for each end, finest near the optimum found so far. */
const coarseSteps = 64;
const refinements = 3;

/** Alternates between the two ends; a tensor without negative values has one. */
function toLeastErrorRange(histogram: ActivationHistogram): Range {
  const full = { min: Math.min(histogram.min, 0), max: Math.max(histogram.max, 0) };
  let best: Range = full;
  let step = 1 / coarseSteps;
  let candidates = Array.from({ length: coarseSteps }, (_, i) => (i + 1) * step);
  for (let round = 0; round <= refinements; round++) {
    for (const end of ['max', 'min'] as const) {
      if (full[end] === 0) continue;
      const around = round === 0 ? candidates : nearby(best[end] / full[end], step);
      candidates = around;
      let leastError = toSquaredError(histogram, best);
      for (const share of around) {
        const candidate = { ...best, [end]: full[end] * share };
        const error = toSquaredError(histogram, candidate);
        if (error < leastError) [leastError, best] = [error, candidate];
      }
    }
    step /= 4;
  }
  return best;
}

function nearby(share: number, step: number): number[] {
  return [-3, -2, -1, 1, 2, 3].map((n) => share + n * step).filter((other) => other > 0 && other <= 1);
}

/** Sum over the bins' centres; exact zeros quantize exactly and add nothing. */
function toSquaredError({ counts, binWidth }: ActivationHistogram, range: Range): number {
  const { scale, zeroPoint } = toUInt8Parameters(range);
  const half = counts.length / 2;
  let sum = 0;
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i]!;
    if (count === 0) continue;
    const value = (i - half + 0.5) * binWidth;
    const quantized = Math.max(0, Math.min(255, Math.round(value / scale) + zeroPoint));
    const error = value - scale * (quantized - zeroPoint);
    sum += count * error * error;
  }
  return sum;
}
