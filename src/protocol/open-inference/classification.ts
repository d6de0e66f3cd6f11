import { topK } from '../../lib/top-k.ts';
import type { OpenTensor } from './tensor.ts';

/**
 * Triton's classification extension: the best classes of each row as `score:index:label` texts.
 *
 * @param rows one model output per image, all of one length; scores are given as the model gave them.
 * @param k at most as many as there are classes are answered.
 * @returns BYTES (rows, k), best first.
 * @see triton-inference-server/server, docs/protocol/extension_classification.md
 */
export function toClassificationTensor(
  name: string,
  rows: readonly Float32Array[],
  k: number,
  labels: readonly { readonly label: string }[],
): OpenTensor {
  const encoder = new TextEncoder();
  const count = Math.min(k, labels.length);
  const data = rows.flatMap((scores) =>
    topK(scores, count).map((index) =>
      encoder.encode(`${scores[index]!.toFixed(6)}:${index}:${labels[index]!.label}`),
    ),
  );
  return { name, shape: [rows.length, count], datatype: 'BYTES', data };
}
