import type { Classification } from './classify.ts';
import type { Tier } from '../protocol/tier/tier.ts';
import type { ItemResult } from '../jobs/batch/item-result.ts';

export function toItemResult(
  { image, predictions }: Classification,
  { name, version }: { readonly name: string; readonly version: string },
  tier: Tier,
): ItemResult {
  const { format, width, height, approximate } = image;
  return {
    model: name,
    model_version: version,
    tier,
    image: { format, width, height, ...(approximate && { approximate }) },
    predictions: predictions.map(({ classIndex, wnid, label, score }) => ({
      class_index: classIndex,
      wnid,
      label,
      score,
    })),
  };
}
