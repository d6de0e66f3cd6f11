import type { EmbeddedImage, ItemResult } from '../../classify/classification.ts';
import type { InputReference } from './batch.ts';

/** The result of one image of a batch, by the batch's task. */
export type BatchItemResult = ItemResult | EmbeddedImage;

/** A result as it is stored and answered, with the name that its image was sent with. */
export type NamedResult = BatchItemResult & { readonly name?: string };

export function toNamedResult(result: BatchItemResult, input: InputReference): NamedResult {
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
