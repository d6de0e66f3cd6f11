import { beforeEach, describe, expect, it } from 'vitest';
import { resultsKey } from '../../../src/jobs/batch/batch.ts';
import type { NamedResult } from '../../../src/jobs/batch/named-results.ts';
import { ResultsStore } from '../../../src/jobs/batch/results-store.ts';
import { createMemoryBucket, type MemoryBucket } from './memory-bucket.ts';

const problem = (code: string) => ({ problem: { code } }) as unknown as NamedResult;
const some = (...entries: [number, string][]) =>
  new Map(entries.map(([index, code]) => [index, problem(code)]));

let memory: MemoryBucket;
let results: ResultsStore;
beforeEach(() => {
  memory = createMemoryBucket();
  results = new ResultsStore(memory.bucket);
});

describe('results of a chunk', () => {
  it('are added to what is stored, which is never replaced', async () => {
    expect(await results.read('a', 0)).toEqual(new Map());
    await results.add('a', 0, some([1, 'first'], [5, 'first']));
    const all = await results.add('a', 0, some([1, 'second'], [3, 'second']));
    expect(all).toEqual(some([1, 'first'], [3, 'second'], [5, 'first']));
    expect(await results.read('a', 0)).toEqual(all);
    const text = new TextDecoder().decode(memory.objects.get(resultsKey('a', 0))!.bytes);
    expect(text.match(/"index":\d/g)).toEqual(['"index":1', '"index":3', '"index":5']);
  });

  it('are not written where they add nothing', async () => {
    await results.add('a', 0, some([1, 'first']));
    memory.beforePut = async () => {
      throw new Error('written');
    };
    expect(await results.add('a', 0, some([1, 'second']))).toEqual(some([1, 'first']));
    expect(await results.add('b', 0, new Map())).toEqual(new Map());
  });

  it('of two consumers are merged, whichever writes first, also the very first object', async () => {
    for (const before of [new Map(), some([0, 'before'])]) {
      await results.add(`batch-${before.size}`, 0, before);
      let isFirst = true;
      memory.beforePut = async (key) => {
        if (!isFirst || key !== resultsKey(`batch-${before.size}`, 0)) return;
        isFirst = false;
        await new ResultsStore(memory.bucket).add(
          `batch-${before.size}`,
          0,
          some([1, 'other'], [2, 'other']),
        );
      };
      const all = await results.add(`batch-${before.size}`, 0, some([2, 'mine'], [3, 'mine']));
      const merged = new Map([...before, ...some([1, 'other'], [2, 'other'], [3, 'mine'])]);
      expect(all).toEqual(merged);
      expect(await results.read(`batch-${before.size}`, 0)).toEqual(merged);
      memory.beforePut = async () => undefined;
    }
  });

  it('are given up after some conflicts in a row', async () => {
    let writes = 0;
    const other = new ResultsStore(memory.bucket);
    let isOurs = true;
    memory.beforePut = async () => {
      if (!isOurs) return;
      isOurs = false;
      await other.add('a', 0, some([100 + writes++, 'other']));
      isOurs = true;
    };
    await expect(results.add('a', 0, some([1, 'mine']))).rejects.toThrow('changed 8 times');
    expect(writes).toBe(8);
    expect((await results.read('a', 0)).has(1)).toBe(false);
  });
});
