import { batchChunkItems } from '../../limits.ts';
import type { Batch } from './batch.ts';
import type { ChunkStore } from './chunk-store.ts';
import { formatResults } from './named-results.ts';
import type { ResultsStore } from './results-store.ts';

/**
 * Results in input order, from item `cursor` up to the first item without a result.
 *
 * @param cursor index of the first item wanted.
 * @returns NDJSON, a chunk at a time as it is read; `index` of the last line plus one is the next cursor.
 */
export async function streamResults(
  { id }: Batch,
  cursor: number,
  chunkStore: ChunkStore,
  results: ResultsStore,
): Promise<ReadableStream<Uint8Array>> {
  const { chunks, nextChunk } = await chunkStore.countReady(id);
  const encoder = new TextEncoder();
  let chunk = Math.floor(cursor / batchChunkItems);
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      // Also reads the first unfinished chunk, and gives its results before the first gap.
      while (chunk < chunks || chunk === nextChunk) {
        const stored = await results.read(id, chunk);
        const first = chunk * batchChunkItems;
        const lines = new Map<number, typeof stored extends Map<number, infer T> ? T : never>();
        for (let index = first; stored.has(index); index++) {
          if (index >= cursor) lines.set(index, stored.get(index)!);
        }
        chunk++;
        if (lines.size === 0) continue;
        controller.enqueue(encoder.encode(formatResults(lines)));
        return;
      }
      controller.close();
    },
  });
}
