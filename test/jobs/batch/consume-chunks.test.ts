import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { ItemResult } from '../../../src/classify/classification.ts';
import { CodedError } from '../../../src/errors.ts';
import { consumeChunks, consumeDeadChunks, retryDelay } from '../../../src/jobs/batch/consume-chunks.ts';
import type { NamedResult } from '../../../src/jobs/batch/named-results.ts';
import { ResultsStore } from '../../../src/jobs/batch/results-store.ts';
import type { RunServices } from '../../../src/jobs/batch/run-chunk.ts';
import { batchChunkItems, maxItemAttempts } from '../../../src/limits.ts';
import { type ChunkRunner, TierTrouble } from '../../../src/tier/client/chunk-runner.ts';
import { acceptBatch, createMessage, createStores, type Stores } from './batch-fixture.ts';

const cat = { index: 281, label: 'tabby', score: 0.9 };
const good = {
  model: 'resnet18',
  model_version: '1',
  tier: 'node',
  image: { format: 'jpeg', width: 1, height: 1 },
  predictions: [{ class_index: cat.index, wnid: 'n0', label: cat.label, score: cat.score }],
} as unknown as ItemResult;

let stores: Stores;
let results: ResultsStore;
/** Item indices of each call of the tier. */
let calls: number[][];
/** What the tier does with an item: a result, nothing, or trouble. */
let answer: (index: number) => ItemResult | undefined;
let gather: (key: string) => Uint8Array;
const onSettled = vi.fn(async (_batchId: string) => undefined);
const log = vi.fn();
beforeEach(() => {
  stores = createStores();
  results = new ResultsStore(stores.memory.bucket);
  calls = [];
  answer = () => good;
  gather = () => Uint8Array.of(1);
  onSettled.mockClear();
  log.mockClear();
});

const runner: ChunkRunner = {
  tier: 'node',
  async *run(_options, _count, items) {
    const call: number[] = [];
    calls.push(call);
    for await (const { index } of items) {
      call.push(index);
      const result = answer(index);
      if (result) yield { index, result };
    }
  },
};

function services(): RunServices {
  return {
    store: stores.store,
    chunks: stores.chunks,
    results,
    gatherer: { gather: async (_, reference) => gather((reference as { r2_key: string }).r2_key) },
    runnerOf: () => runner,
  };
}
const options = { concurrency: 2, retryBaseSeconds: 10, log, onSettled };

async function consume(chunk: number, attempts = 1) {
  const { message, ack, retry } = createMessage({ batch_id: 'a', chunk }, attempts);
  await consumeChunks([message], services, options);
  return { acked: ack.mock.calls.length === 1, retried: retry.mock.calls.length === 1 };
}
const readBatch = async () => (await stores.store.find('a'))!;
const readCodes = async (chunk = 0) =>
  Array.from(await results.read('a', chunk), ([index, result]): [number, string] => [
    index,
    'problem' in result ? result.problem.code : 'ok',
  ]);
const range = (start: number, end: number) => Array.from({ length: end - start }, (_, i) => start + i);

describe('a chunk that is consumed', () => {
  it('is run in one call, its results stored, its batch ended by the last one', async () => {
    await acceptBatch(stores, 'a', batchChunkItems + 2);
    expect(await consume(1)).toEqual({ acked: true, retried: false });
    expect(await readBatch()).toMatchObject({ status: 'processing', succeeded: 2 });
    expect(await consume(0)).toEqual({ acked: true, retried: false });
    expect(calls).toEqual([range(batchChunkItems, batchChunkItems + 2), range(0, batchChunkItems)]);
    expect(await readBatch()).toMatchObject({ status: 'succeeded', succeeded: batchChunkItems + 2 });
    expect(onSettled).toHaveBeenCalledTimes(2);
  });

  it('does nothing twice when it is delivered twice', async () => {
    await acceptBatch(stores, 'a', 3);
    await consume(0);
    expect(await consume(0)).toMatchObject({ acked: true });
    expect(calls).toHaveLength(1);
    expect(await readBatch()).toMatchObject({ succeeded: 3, failed: 0 });
  });

  it('goes on where it was cut short: what is stored is not asked for again', async () => {
    await acceptBatch(stores, 'a', 3);
    await results.add('a', 0, new Map([[1, good as NamedResult]]));
    await consume(0);
    expect(calls).toEqual([[0, 2]]);
    expect(await readBatch()).toMatchObject({ status: 'succeeded', succeeded: 3 });
  });

  it('waits for the batch to be accepted, and is dropped when it is canceled or unknown', async () => {
    const batch = {
      owner: '',
      idempotencyKey: undefined,
      tier: 'node',
      model: 'm',
      modelVersion: '1',
    } as const;
    await stores.store.create({ ...batch, id: 'a', topK: 1, expiresAt: stores.clock.ms + 1000 });
    expect(await consume(0)).toEqual({ acked: false, retried: true });
    await stores.store.cancel('a');
    expect(await consume(0)).toEqual({ acked: true, retried: false });
    const unknown = createMessage({ batch_id: 'unknown', chunk: 0 });
    await consumeChunks([unknown.message], services, options);
    expect(unknown.ack).toHaveBeenCalledOnce();
    expect(calls).toEqual([]);
  });

  it('that is no chunk is dropped, and logged', async () => {
    const foreign = createMessage({ something: 'else' });
    await consumeChunks([foreign.message], services, options);
    expect(foreign.ack).toHaveBeenCalledOnce();
    expect(log).toHaveBeenCalledWith('error', expect.objectContaining({ event: 'queue_message_invalid' }));
  });

  it('shares the consumer with no more than may run at once', async () => {
    for (const id of ['a', 'b', 'c', 'd', 'e']) await acceptBatch(stores, id, 1);
    let running = 0;
    let most = 0;
    const slow: ChunkRunner = {
      tier: 'node',
      async *run(_options, _count, items) {
        most = Math.max(most, ++running);
        for await (const { index } of items) yield { index, result: good };
        running--;
      },
    };
    const messages = ['a', 'b', 'c', 'd', 'e'].map((id) => createMessage({ batch_id: id, chunk: 0 }));
    await consumeChunks(
      messages.map(({ message }) => message),
      () => ({ ...services(), runnerOf: () => slow }),
      options,
    );
    expect(messages.every(({ ack }) => ack.mock.calls.length === 1)).toBe(true);
    expect(most).toBe(2);
  });
});

describe('a tier in trouble', () => {
  const busy = () => {
    throw new TierTrouble('busy', 'It is full.', { retryAfterSeconds: 40 });
  };
  const dies = () => {
    throw new TierTrouble('died', 'The answer ended early.');
  };

  it('holds the batch up and blames no item; the message comes again no sooner than it asked', async () => {
    await acceptBatch(stores, 'a', 3);
    answer = (index) => (index === 0 ? good : busy());
    const { message, retry } = createMessage({ batch_id: 'a', chunk: 0 });
    await consumeChunks([message], services, options);
    expect(retry.mock.calls[0]![0].delaySeconds).toBeGreaterThanOrEqual(40);
    expect(await readBatch()).toMatchObject({ status: 'processing', succeeded: 1, lastTrouble: 'tier_busy' });
    answer = () => good;
    expect(await consume(0, 2)).toMatchObject({ acked: true });
    expect(await readBatch()).toMatchObject({ status: 'succeeded', succeeded: 3, lastTrouble: undefined });
  });

  it('is sent fewer images at once each time, and no more of them in a row', async () => {
    await acceptBatch(stores, 'a', batchChunkItems);
    answer = busy;
    for (const attempt of [1, 2, 3]) expect(await consume(0, attempt)).toMatchObject({ retried: true });
    // The first item of a call is as far as each of them came.
    expect(calls).toEqual([[0], [0], [0]]);
    answer = () => good;
    calls = [];
    await consume(0, 2);
    expect(calls.map((call) => call.length)).toEqual([8, 8, 8, 8]);
  });

  it('loses the one image on which it always dies, and no other', async () => {
    await acceptBatch(stores, 'a', 4);
    answer = (index) => (index === 2 ? dies() : good);
    // The first time others were with it, and it is not told which one it was.
    for (let attempt = 1; attempt <= maxItemAttempts; attempt++) {
      expect(await consume(0, attempt)).toMatchObject({ retried: true });
      expect(await readBatch()).toMatchObject({ status: 'processing' });
    }
    expect(await consume(0, maxItemAttempts + 1)).toMatchObject({ acked: true });
    expect(await readBatch()).toMatchObject({ status: 'partial', succeeded: 3, failed: 1 });
    expect(new Map(await readCodes()).get(2)).toBe('batch_tier_unavailable');
  });

  it('that leaves items out, or answers for others, is not believed', async () => {
    await acceptBatch(stores, 'a', 2);
    const liar: ChunkRunner = {
      tier: 'node',
      async *run(_options, _count, items) {
        for await (const _ of items) yield { index: 7, result: good };
      },
    };
    const { message, retry } = createMessage({ batch_id: 'a', chunk: 0 });
    await consumeChunks([message], () => ({ ...services(), runnerOf: () => liar }), options);
    expect(retry).toHaveBeenCalledOnce();
    expect(await readCodes()).toEqual([]);
    expect(await readBatch()).toMatchObject({ lastTrouble: 'tier_garbage' });
  });
});

describe('an image that cannot be had', () => {
  it('fails at once where it is not there, and is no reason to keep the others', async () => {
    await acceptBatch(stores, 'a', 3);
    gather = (key) => {
      if (key === 'image-1') throw new CodedError('image_not_found', 'none');
      return Uint8Array.of(1);
    };
    expect(await consume(0)).toMatchObject({ acked: true });
    expect(await readCodes()).toEqual([
      [0, 'ok'],
      [1, 'image_not_found'],
      [2, 'ok'],
    ]);
  });

  it('is tried a few times where that may pass, its reason kept meanwhile', async () => {
    await acceptBatch(stores, 'a', 1);
    gather = () => {
      throw new CodedError('url_unreachable', 'It answered 503.');
    };
    for (let attempt = 1; attempt < maxItemAttempts; attempt++) {
      expect(await consume(0, attempt)).toMatchObject({ retried: true });
      expect((await stores.chunks.find('a', 0))!.troubles).toMatchObject({
        0: { attempts: attempt, code: 'url_unreachable' },
      });
    }
    expect(await consume(0, maxItemAttempts)).toMatchObject({ acked: true });
    expect(await readCodes()).toEqual([[0, 'url_unreachable']]);
  });

  it('because the bucket fails is held against no item, however often', async () => {
    await acceptBatch(stores, 'a', 1);
    gather = () => {
      throw new Error('R2 is down');
    };
    for (let attempt = 1; attempt <= maxItemAttempts + 1; attempt++)
      expect(await consume(0, attempt)).toMatchObject({ retried: true });
    expect(await readBatch()).toMatchObject({ lastTrouble: 'storage_unavailable', failed: 0 });
  });
});

describe('a chunk that the queue has given up', () => {
  const bury = async () => {
    const { message, ack, retry } = createMessage({ batch_id: 'a', chunk: 0 });
    await consumeDeadChunks([message], services, options);
    return { acked: ack.mock.calls.length === 1, retried: retry.mock.calls.length === 1 };
  };

  it('fails with the last reason; what has a result keeps it', async () => {
    await acceptBatch(stores, 'a', 3);
    await results.add('a', 0, new Map([[1, good as NamedResult]]));
    await stores.store.noteTrouble('a', 'tier_busy');
    expect(await bury()).toEqual({ acked: true, retried: false });
    expect(Object.fromEntries(await readCodes())).toEqual({
      0: 'batch_retries_exhausted',
      1: 'ok',
      2: 'batch_retries_exhausted',
    });
    const first = (await results.read('a', 0)).get(0);
    expect(first).toMatchObject({ problem: { detail: expect.stringContaining('Last: tier_busy') } });
    expect(await readBatch()).toMatchObject({ status: 'partial', succeeded: 1, failed: 2 });
    expect(onSettled).toHaveBeenCalledWith('a');
  });

  it('comes again where that cannot be stored', async () => {
    await acceptBatch(stores, 'a', 1);
    stores.memory.beforePut = async () => {
      throw new Error('R2 is down');
    };
    expect(await bury()).toEqual({ acked: false, retried: true });
  });
});

describe('retryDelay', () => {
  it.each([
    // attempts, base, asked, random, delay
    [1, 10, 0, 0, 10],
    [2, 10, 0, 0, 20],
    [4, 10, 0, 0, 80],
    [7, 10, 0, 0, 600],
    [1000, 10, 0, 0, 600],
    [1, 10, 25, 0, 25],
    [3, 10, 25, 0, 40],
    [1, 10, 100_000, 0, 600],
    [1, 10, 0, 0.5, 11],
    [1, 10, 0, 0.999, 12],
    [1, 0, 0, 0.999, 0],
  ])('of attempt %i from %i s, asked for %i, random %f: %i s', (attempts, base, asked, random, delay) => {
    expect(retryDelay(attempts, base, asked, random)).toBe(delay);
  });
});
