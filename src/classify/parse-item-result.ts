import { z } from 'zod';
import { isImageWarning } from '../warnings.ts';
import type { ItemResult } from './classification.ts';

const predictionSchema = z.strictObject({
  class_index: z.int().nonnegative(),
  wnid: z.string(),
  label: z.string(),
  score: z.number(),
});

const itemResultSchema: z.ZodType<ItemResult> = z.union([
  z.strictObject({
    model: z.string(),
    model_version: z.string(),
    tier: z.enum(['edge', 'node']),
    image: z.strictObject({
      format: z.enum(['jpeg', 'png', 'gif', 'bmp', 'tiff', 'webp', 'avif', 'heic']),
      width: z.int().positive(),
      height: z.int().positive(),
      approximate: z.literal(true).optional(),
      // A newer tier may send other codes.
      warnings: z
        .array(z.string())
        .transform((codes) => codes.filter(isImageWarning))
        .optional(),
    }),
    // Empty if the model is multi-label and no class reaches its threshold.
    predictions: z.array(predictionSchema),
    unknown: z.literal(true).optional(),
    others: z.undefined().optional(),
  }),
  z.strictObject({
    problem: z.object({
      type: z.string().optional(),
      title: z.string().optional(),
      code: z.string(),
      status: z.int(),
      detail: z.string(),
    }),
  }),
]);

/** @returns undefined if this is no result of an image. */
export function parseItemResult(json: unknown): ItemResult | undefined {
  return itemResultSchema.safeParse(json).data;
}
