import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { NamedResult } from '../../../src/jobs/batch/named-results.ts';
import { ResultsStore } from '../../../src/jobs/batch/results-store.ts';
import { streamEvents } from '../../../src/jobs/batch/stream-events.ts';
import { streamResults } from '../../../src/jobs/batch/stream-results.ts';
import { batchChunkItems, eventsIntervalMs, maxEventsMs } from '../../../src/limits.ts';
import { acceptBatch, createStores, type Stores } from './batch-fixture.ts';

let stores: Stores;
beforeEach(async () => {
  stores = createStores();
  await acceptBatch(stores, 'a', 2 * batchChunkItems + 1);
});

describe('events of a batch', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const listen = (signal = new AbortController().signal, id = 'a') => {
    const heard: [string, number][] = [];
    const end = (async () => {
      for await (const { event, batch } of streamEvents(id, stores.store, signal))
        heard.push([event, batch.succeeded]);
      return 'ended';
    })();
    return { heard, end };
  };
  const succeed = (chunk: number, succeeded: number) =>
    stores.chunks.settle('a', chunk, { succeeded, failed: 0 }, {});

  it('tell what has changed and nothing else, and that it is done', async () => {
    const { heard, end } = listen();
    await vi.advanceTimersByTimeAsync(3 * eventsIntervalMs);
    expect(heard).toEqual([['progress', 0]]);
    await succeed(0, batchChunkItems);
    await vi.advanceTimersByTimeAsync(2 * eventsIntervalMs);
    await succeed(1, batchChunkItems);
    await succeed(2, 1);
    await vi.advanceTimersByTimeAsync(eventsIntervalMs);
    expect(await end).toBe('ended');
    expect(heard).toEqual([
      ['progress', 0],
      ['progress', batchChunkItems],
      ['done', 2 * batchChunkItems + 1],
    ]);
  });

  it('end after a while, when nobody listens, and where there is no batch', async () => {
    const gone = new AbortController();
    const long = listen();
    const left = listen(gone.signal);
    expect(await listen(undefined, 'unknown').end).toBe('ended');
    gone.abort();
    await vi.advanceTimersByTimeAsync(eventsIntervalMs);
    expect(await left.end).toBe('ended');
    const ended = vi.fn();
    void long.end.then(ended);
    await vi.advanceTimersByTimeAsync(maxEventsMs - 2 * eventsIntervalMs);
    expect(ended).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(eventsIntervalMs);
    expect(ended).toHaveBeenCalled();
  });
});

describe('results of a batch', () => {
  const result = { problem: { code: 'image_truncated' } } as unknown as NamedResult;
  const read = async (cursor: number) => {
    const results = new ResultsStore(stores.memory.bucket);
    const batch = (await stores.store.find('a'))!;
    const text = await new Response(await streamResults(batch, cursor, stores.chunks, results)).text();
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as { index: number }).index);
  };
  const finish = async (chunk: number, indices: readonly number[]) => {
    const results = new ResultsStore(stores.memory.bucket);
    const all = await results.add('a', chunk, new Map(indices.map((index) => [index, result])));
    await stores.chunks.settle('a', chunk, { succeeded: 0, failed: all.size }, {});
  };
  const range = (start: number, end: number) => Array.from({ length: end - start }, (_, i) => start + i);

  it('come in order up to the first gap, from any cursor', async () => {
    expect(await read(0)).toEqual([]);
    await finish(1, range(32, 64));
    expect(await read(0)).toEqual([]);
    await finish(0, [0, 1, 3]);
    expect(await read(0)).toEqual([0, 1]);
    await finish(0, range(0, 32));
    expect(await read(0)).toEqual(range(0, 64));
    expect(await read(31)).toEqual(range(31, 64));
    expect(await read(32)).toEqual(range(32, 64));
    await finish(2, [64]);
    expect(await read(63)).toEqual([63, 64]);
    expect(await read(65)).toEqual([]);
  });
});
