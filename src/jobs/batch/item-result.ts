import { z } from 'zod';
import type { Tier } from '../../protocol/tier/tier.ts';
import type { InputReference } from './batch.ts';

/** A problem as the wire has it, RFC 9457; kept as it was made. */
const problemSchema = z.looseObject({ code: z.string(), status: z.int(), detail: z.string() });

const predictionSchema = z.strictObject({
  class_index: z.int().nonnegative(),
  wnid: z.string(),
  label: z.string(),
  /** In [0, 1], unless scores were asked for as the model gives them. */
  score: z.number(),
});

/** What is known of one item in the end: its predictions, or why it has none. */
export const itemResultSchema = z.union([
  z.strictObject({
    model: z.string(),
    model_version: z.string(),
    tier: z.enum(['edge', 'node'] satisfies Tier[]),
    image: z.strictObject({
      format: z.string(),
      width: z.int().positive(),
      height: z.int().positive(),
      approximate: z.literal(true).optional(),
    }),
    predictions: z.array(predictionSchema).min(1),
  }),
  z.strictObject({ problem: problemSchema }),
]);
export type ItemResult = z.infer<typeof itemResultSchema>;

/** A result as it is stored and answered: under the name that its image was sent with. */
export type NamedResult = ItemResult & { readonly name?: string };

export function toNamedResult(result: ItemResult, input: InputReference): NamedResult {
  return 'name' in input && input.name !== undefined ? { name: input.name, ...result } : result;
}

/** Results of a chunk by item index. */
export type ChunkResults = ReadonlyMap<number, NamedResult>;

/** One line for each item, `{"index": 7, ...}`, ascending. */
export function formatResults(results: ChunkResults): string {
  return [...results]
    .sort(([a], [b]) => a - b)
    .map(([index, result]) => `${JSON.stringify({ index, ...result })}\n`)
    .join('');
}

/** @param text what `formatResults` wrote. */
export function parseResults(text: string): Map<number, NamedResult> {
  const lines = text.split('\n').filter((line) => line !== '');
  return new Map(
    lines.map((line) => {
      const { index, ...result } = JSON.parse(line) as NamedResult & { index: number };
      return [index, result as NamedResult];
    }),
  );
}
