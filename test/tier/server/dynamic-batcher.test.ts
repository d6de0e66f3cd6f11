import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { DynamicBatcher } from '../../../src/tier/server/dynamic-batcher.ts';

/** A batcher whose batches end when they are told to. */
function startBatcher(options: { maxQueueDelayMs: number }) {
  const running: { readonly inputs: readonly number[]; end(): void }[] = [];
  const batcher = new DynamicBatcher<number, number>(
    (inputs) =>
      new Promise((resolve) => {
        running.push({ inputs, end: () => resolve(inputs.map((input) => input * 10)) });
      }),
    { preferredSizes: [2, 4], instances: 1, ahead: 1, ...options },
  );
  const submit = (...inputs: number[]) => inputs.map((input) => batcher.submit(input));
  return { running, submit };
}
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});
const later = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

it('runs what is submitted in one go as the largest batch it fills, and has the next full one ready', async () => {
  const { running, submit } = startBatcher({ maxQueueDelayMs: 1000 });
  const results = Promise.all(submit(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
  await later();
  // Two are not a full batch: they wait for more, as long as an instance is busy.
  expect(running.map(({ inputs }) => inputs)).toEqual([
    [1, 2, 3, 4],
    [5, 6, 7, 8],
  ]);
  running[0]!.end();
  await later();
  expect(running).toHaveLength(2);
  running[1]!.end();
  await later();
  expect(running[2]!.inputs).toEqual([9, 10]);
  running[2]!.end();
  expect(await results).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
});

it('lets one that is alone wait for others, and no longer than it may', async () => {
  const { running, submit } = startBatcher({ maxQueueDelayMs: 60 });
  submit(1);
  await later(59);
  expect(running).toHaveLength(0);
  await later(1);
  expect(running.map(({ inputs }) => inputs)).toEqual([[1]]);
});
