// `!` behind an index: the loops and the checked sizes keep it in range.

/** Sums that were made without the photo, and its class. */
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
 * The temperature with the least negative log-likelihood (Guo et al. 2017), by golden section on its logarithm. Where all
 * of a few answers are right, that would be 0 and every score 1: each answer counts as wrong with a probability of one in
 * two more than there are scenes, as by Laplace's rule of succession.
 *
 * @param scenes that the photos show: photos of one scene are right or wrong together.
 */
export function fitTemperature(judged: readonly Judged[], scenes: number): number {
  const doubt = 1 / (scenes + 2);
  const loss = (exponent: number) =>
    judged.reduce((sum, { sums, label }) => {
      const known = sums.filter(Number.isFinite).length;
      const logs = toProbabilities(sums, Math.exp(exponent)).map((score) => Math.log(Math.max(score, 1e-12)));
      const mean = logs.reduce((a, b, c) => (Number.isFinite(sums[c]) ? a + b : a), 0) / known;
      return sum - (1 - doubt) * logs[label]! - doubt * mean;
    }, 0);
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [Math.log(0.005), Math.log(5)];
  for (let step = 0; step < 40; step++) {
    const [a, b] = [high - ratio * (high - low), low + ratio * (high - low)];
    if (loss(a) < loss(b)) high = b;
    else low = a;
  }
  return Math.exp((low + high) / 2);
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
