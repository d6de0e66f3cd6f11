import { CodedError } from '../../errors.ts';
import { withTimeout } from '../../lib/with-timeout.ts';
import { batchBodyTimeoutMs, tierStallMs } from '../../limits.ts';
import type { ChunkReader } from '../../protocol/tier/chunk-reader.ts';
import type { Admission, TierChoice, TierClassifier } from './tier-classifier.ts';
import type { TierNetwork } from './tier-model.ts';

/**
 * Answers a chunk while it is still coming in: NDJSON, a line when an item is done. It reads images from the connection
 * only as fast as they are decoded and batched, so memory is bounded.
 *
 * @param admission of all items. While the sender is silent, items that have not come give their places to others.
 */
export function answerChunk(
  reader: ChunkReader,
  items: number,
  choice: TierChoice,
  model: TierNetwork,
  classifier: TierClassifier,
  admission: Admission,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const line = (value: unknown) => encoder.encode(`${JSON.stringify(value)}\n`);
  const maxHeld = classifier.decodeWorkers * 2 + model.maxBatch * 2;
  const gone = new AbortController();
  return new ReadableStream<Uint8Array>({
    async start(controller) {
      // The caller may have gone. Images that were begun are finished then, and their results are dropped.
      const tell = (value: unknown) => {
        try {
          controller.enqueue(line(value));
        } catch {}
      };
      const held = new Set<Promise<void>>();
      try {
        for await (const { index, bytes } of givingRoom(reader.readItems(items), items, admission, held)) {
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
        admission.release();
      }
    },
    cancel() {
      gone.abort();
    },
  });
}

/**
 * @param held gives the number of images that have come and are not answered.
 * @throws {CodedError} (from the iteration) `body_timeout` if an item does not come for as long as a whole body may take.
 */
async function* givingRoom<T>(
  source: AsyncGenerator<T, void, undefined>,
  items: number,
  admission: Admission,
  held: ReadonlySet<unknown>,
): AsyncGenerator<T, void, undefined> {
  const late = () => new CodedError('body_timeout', 'The chunk stopped coming.');
  for (let left = items; ; left--) {
    const next = source.next();
    const stalled = setTimeout(() => admission.hold(held.size), tierStallMs);
    try {
      const { done, value } = await withTimeout(next, batchBodyTimeoutMs, late);
      if (done) return;
      admission.hold(left + held.size);
      yield value;
    } finally {
      clearTimeout(stalled);
    }
  }
}
