import { eventsIntervalMs, maxEventsMs } from '../../limits.ts';
import { type Batch, isFinished } from './batch.ts';
import type { BatchStore } from './batch-store.ts';

/** `done` is the last one. */
export interface BatchEvent {
  readonly event: 'progress' | 'done';
  readonly batch: Batch;
}

/**
 * Gives the batch whenever it has changed, until it has ended. The stream ends after `maxEventsMs`; an EventSource then
 * reconnects by itself.
 *
 * @param signal aborted when the listener has gone.
 */
export async function* streamEvents(
  id: string,
  store: Pick<BatchStore, 'find'>,
  signal: AbortSignal,
): AsyncGenerator<BatchEvent, void, undefined> {
  const deadline = Date.now() + maxEventsMs;
  let last = '';
  while (!signal.aborted && Date.now() < deadline) {
    const batch = await store.find(id);
    if (!batch) return;
    const { status, total, succeeded, failed, lastTrouble } = batch;
    const current = JSON.stringify([status, total, succeeded, failed, lastTrouble]);
    if (current !== last) {
      last = current;
      yield { event: isFinished(batch) ? 'done' : 'progress', batch };
      if (isFinished(batch)) return;
    }
    await new Promise((resolve) => setTimeout(resolve, eventsIntervalMs));
  }
}
