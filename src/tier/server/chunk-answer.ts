import { CodedError } from '../../errors.ts';
import type { ChunkReader } from '../../protocol/tier/chunk-reader.ts';
import type { TierChoice, TierClassifier } from './tier-classifier.ts';
import type { TierModel } from './tier-model.ts';

/**
 * Answers a chunk while it is still coming in: NDJSON, a line as each item is done. No more images are
 * read from the connection than can be decoded and batched, so that memory has a bound.
 *
 * @param release gives the admitted room back.
 */
export function answerChunk(
  reader: ChunkReader,
  items: number,
  choice: TierChoice,
  model: TierModel,
  classifier: TierClassifier,
  release: () => void,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const line = (value: unknown) => encoder.encode(`${JSON.stringify(value)}\n`);
  const maxHeld = classifier.decodeWorkers * 2 + model.maxBatch * 2;
  const gone = new AbortController();
  return new ReadableStream<Uint8Array>({
    async start(controller) {
      // The caller may have gone. What has begun then goes on to its end, and its result is dropped.
      const tell = (value: unknown) => {
        try {
          controller.enqueue(line(value));
        } catch {}
      };
      const held = new Set<Promise<void>>();
      try {
        for await (const { index, bytes } of reader.readItems(items)) {
          const work = classifier.classify(bytes, model, choice, gone.signal).then((result) => {
            tell({ index, ...result });
            held.delete(work);
          });
          held.add(work);
          if (held.size >= maxHeld) await Promise.race(held);
          if (gone.signal.aborted) break;
        }
        await Promise.all(held);
        tell({ end: true });
        controller.close();
      } catch (error) {
        await Promise.allSettled(held);
        controller.error(error instanceof CodedError ? error : new CodedError('internal', String(error)));
      } finally {
        release();
      }
    },
    cancel() {
      gone.abort();
    },
  });
}
