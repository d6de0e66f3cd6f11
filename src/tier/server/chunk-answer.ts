import { CodedError } from '../../errors.ts';
import { withTimeout } from '../../lib/with-timeout.ts';
import { batchBodyTimeoutMs, tierStallMs } from '../../limits.ts';
import type { ChunkReader } from '../../protocol/tier/chunk-reader.ts';
import type { Admission, TierChoice, TierClassifier } from './tier-classifier.ts';
import type { TierNetwork } from './tier-model.ts';

/**
 * Answers a chunk while it is still coming in: NDJSON, a line as each item is done. No more images are
 * read from the connection than can be decoded and batched, so that memory has a bound.
 *
 * @param admission of all items. While the next item does not come, those that have not come give their room to others.
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
      // The caller may have gone. What has begun then goes on to its end, and its result is dropped.
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
 * @param held images that have come and are not answered.
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
