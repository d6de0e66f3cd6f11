/**
 * Indices of the `k` largest values, largest first; equal values in order of their index.
 *
 * @param k at least 1; more than `values.length` gives them all.
 */
export function topK(values: Float32Array, k: number): number[] {
  const order = Array.from(values, (_, index) => index);
  // Sorting is stable: equal values keep their order.
  order.sort((a, b) => values[b]! - values[a]!);
  return order.slice(0, k);
}
