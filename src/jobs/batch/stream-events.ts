import { eventsIntervalMs, maxEventsMs } from '../../limits.ts';
import { type Batch, isFinished } from './batch.ts';
import type { BatchStore } from './batch-store.ts';

/**
 * Progress as Server-Sent Events: `progress` when something has changed, `done` at the end. After
 * `maxEventsMs` the stream ends and an EventSource reconnects by itself.
 *
 * @param toWire body of an event.
 */
export function streamEvents(
  id: string,
  store: BatchStore,
  toWire: (batch: Batch) => unknown,
  signal: AbortSignal,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const deadline = Date.now() + maxEventsMs;
  let last = '';
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      while (!signal.aborted && Date.now() < deadline) {
        const batch = await store.find(id);
        if (!batch) break;
        const { status, total, succeeded, failed, lastTrouble } = batch;
        const current = JSON.stringify([status, total, succeeded, failed, lastTrouble]);
        if (current !== last) {
          last = current;
          const event = isFinished(batch) ? 'done' : 'progress';
          controller.enqueue(encoder.encode(`event: ${event}\ndata: ${JSON.stringify(toWire(batch))}\n\n`));
          if (isFinished(batch)) break;
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, eventsIntervalMs));
      }
      controller.close();
    },
  });
}
