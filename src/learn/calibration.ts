import { type Pace, withoutPauses } from './pace.ts';

// `!` behind an index: the loops and the checked sizes keep it in range.

/** The sums of a photo, by a classifier that has not learned from it, and its class. */
export interface Judged {
  readonly sums: Float64Array;
  readonly label: number;
}

/** @returns probabilities, shifted by the maximum so that none overflows. */
export function toProbabilities(sums: Float64Array, temperature: number): Float64Array {
  const largest = sums.reduce((a, b) => Math.max(a, b));
  const exponentials = sums.map((sum) => Math.exp((sum - largest) / temperature));
  const total = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((value) => value / total);
}

/**
 * Finds the temperature with the least negative log-likelihood (Guo et al. 2017), by golden-section search on its
 * logarithm. If there are few answers and all are right, that temperature would be 0 and every score 1. So each answer
 * counts as wrong with probability 1 / (scenes + 2), as in Laplace's rule of succession.
 *
 * @param scenes number of scenes that the photos show: photos of one scene are right or wrong together.
 */
export async function fitTemperature(
  judged: readonly Judged[],
  scenes: number,
  pace: Pace = withoutPauses,
): Promise<number> {
  const doubt = 1 / (scenes + 2);
  // The linear part of each photo's loss: a mix of its own class's sum and the mean of all finite sums.
  const targets = judged.map(({ sums, label }) => {
    const known = sums.filter(Number.isFinite);
    return (1 - doubt) * sums[label]! + (doubt * known.reduce((a, b) => a + b, 0)) / known.length;
  });
  const loss = async (exponent: number) => {
    const temperature = Math.exp(exponent);
    let total = 0;
    for (const [index, { sums }] of judged.entries()) {
      const pause = pace(exponentialCost * sums.length);
      if (pause) await pause;
      total += logSumExp(sums, temperature) - targets[index]! / temperature;
    }
    return total;
  };
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [Math.log(0.005), Math.log(5)];
  let [left, right] = [high - ratio * (high - low), low + ratio * (high - low)];
  let [leftLoss, rightLoss] = [await loss(left), await loss(right)];
  // 25 steps leave 4e-5 of the logarithm open. Each keeps one of its two points, and computes the other.
  for (let step = 0; step < 25; step++) {
    if (leftLoss < rightLoss) {
      high = right;
      [right, rightLoss] = [left, leftLoss];
      left = high - ratio * (high - low);
      leftLoss = await loss(left);
    } else {
      low = left;
      [left, leftLoss] = [right, rightLoss];
      right = low + ratio * (high - low);
      rightLoss = await loss(right);
    }
  }
  return Math.exp((low + high) / 2);
}

/** An exponential takes as long as this many products. */
const exponentialCost = 20;

/** The logarithm of the sum of exponentials of all sums over the temperature. */
function logSumExp(sums: Float64Array, temperature: number): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (const sum of sums) if (sum > largest) largest = sum;
  let total = 0;
  for (const sum of sums) total += Math.exp((sum - largest) / temperature);
  return largest / temperature + Math.log(total);
}

/** Expected calibration error over 10 bins of the best score: 0 is perfect. */
export function calibrationError(judged: readonly Judged[], temperature: number): number {
  const bins = Array.from({ length: 10 }, () => ({ count: 0, right: 0, score: 0 }));
  for (const { sums, label } of judged) {
    const scores = toProbabilities(sums, temperature);
    const best = indexOfLargest(scores);
    const bin = bins[Math.min(9, Math.floor(scores[best]! * 10))]!;
    bin.count++;
    bin.right += best === label ? 1 : 0;
    bin.score += scores[best]!;
  }
  return (
    bins.reduce((sum, { right, score }) => sum + Math.abs(right - score), 0) / Math.max(1, judged.length)
  );
}

export function indexOfLargest(values: Float64Array): number {
  let best = 0;
  for (let index = 1; index < values.length; index++) if (values[index]! > values[best]!) best = index;
  return best;
}
