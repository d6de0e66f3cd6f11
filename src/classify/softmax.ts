/**
 * Logits to probabilities, shifted by the maximum so that no exponential overflows.
 *
 * @param logits any length >= 1, finite.
 * @returns the same length, each in [0, 1], summing to 1 within float rounding.
 */
export function softmax(logits: Float32Array): Float32Array {
  let max = Number.NEGATIVE_INFINITY;
  for (const logit of logits) if (logit > max) max = logit;
  const exponentials = new Float64Array(logits.length);
  let sum = 0;
  for (let index = 0; index < logits.length; index++) {
    const value = Math.exp(logits[index]! - max);
    exponentials[index] = value;
    sum += value;
  }
  const probabilities = new Float32Array(logits.length);
  for (let index = 0; index < logits.length; index++) probabilities[index] = exponentials[index]! / sum;
  return probabilities;
}

/** Each logit to the probability of its own class, in [0, 1]. */
export function sigmoid(logits: Float32Array): Float32Array {
  return logits.map((logit) => 1 / (1 + Math.exp(-logit)));
}
