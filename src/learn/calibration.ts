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

/** The temperature with the least negative log-likelihood (Guo et al. 2017), by golden section on its logarithm. */
export function fitTemperature(judged: readonly Judged[]): number {
  const loss = (exponent: number) =>
    judged.reduce(
      (sum, { sums, label }) =>
        sum - Math.log(Math.max(toProbabilities(sums, Math.exp(exponent))[label]!, 1e-12)),
      0,
    );
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
