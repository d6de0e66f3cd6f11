/**
 * The largest magnitude that a convolution's sum of products can have, whatever the image.
 *
 * @param weights OIHW.
 * @param zeroPoint of its input: centred values reach from -zeroPoint to 255 - zeroPoint.
 */
export function largestSum(weights: Int8Array, outputs: number, zeroPoint: number): number {
  const length = weights.length / outputs;
  const [least, most] = [zeroPoint, 255 - zeroPoint];
  let largest = 0;
  for (let output = 0; output < outputs; output++) {
    let [positive, negative] = [0, 0];
    for (const weight of weights.subarray(output * length, (output + 1) * length)) {
      if (weight > 0) positive += weight;
      else negative -= weight;
    }
    largest = Math.max(largest, positive * most + negative * least, negative * most + positive * least);
  }
  return largest;
}
