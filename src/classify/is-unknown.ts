import type { Head } from '../model/head.ts';
import type { Scoring } from './choice.ts';
import type { Prediction } from './classification.ts';

/** Whether an image shows none of a head's classes: its best score is low, or it is unlike all that the head learned from. */
export function isUnknown(
  { threshold, min_similarity: minSimilarity }: Head,
  scoring: Scoring,
  [best]: readonly Prediction[],
  similarity: number | undefined,
): boolean {
  if (!best || similarity === undefined) return false;
  const isSoftmax = scoring === 'model' || scoring === 'softmax';
  return (isSoftmax && best.score < threshold) || similarity < minSimilarity;
}
