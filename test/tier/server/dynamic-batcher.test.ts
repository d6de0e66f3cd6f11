import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type BatcherOptions, DynamicBatcher } from '../../../src/tier/server/dynamic-batcher.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});
const later = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

/** A batcher whose batches end when they are told to. */
function startBatcher(options: Partial<BatcherOptions> = {}) {
  const running: {
    readonly inputs: readonly number[];
    end(): void;
    fail(error: Error): void;
  }[] = [];
  const queuedUs: number[] = [];
  const batcher = new DynamicBatcher<number, number>(
    (inputs) =>
      new Promise((resolve, reject) => {
        running.push({
          inputs,
          end: () => resolve(inputs.map((input) => input * 10)),
          fail: reject,
        });
      }),
    { preferredSizes: [2, 4], instances: 1, ahead: 1, maxQueueDelayMs: 60, ...options },
    (waitedUs) => queuedUs.push(waitedUs),
  );
  const submit = (...inputs: number[]) => inputs.map((input) => batcher.submit(input));
  const inputsOf = () => running.map(({ inputs }) => inputs);
  return { running, queuedUs, submit, inputsOf };
}

describe('DynamicBatcher', () => {
  it('runs what is submitted in one go as the largest batch it fills, and has the next full one ready', async () => {
    const { running, submit, inputsOf } = startBatcher({ maxQueueDelayMs: 1000 });
    const results = Promise.all(submit(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
    await later();
    // Two are not a full batch: they wait for more, as long as an instance is busy.
    expect(inputsOf()).toEqual([
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

  it('has a batch ready that is exactly full, by the largest of its sizes', async () => {
    const { submit, inputsOf } = startBatcher({ preferredSizes: [1, 2, 4] });
    submit(1, 2, 3, 4, 5, 6, 7);
    await later();
    expect(inputsOf()).toEqual([[1, 2, 3, 4]]);
    submit(8);
    await later();
    expect(inputsOf()).toEqual([
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ]);
  });

  it('runs a batch of each size that is preferred, and more of them the more instances there are', async () => {
    const { submit, inputsOf } = startBatcher({ instances: 2, ahead: 0 });
    submit(1, 2, 3);
    await later();
    expect(inputsOf()).toEqual([[1, 2]]);
    submit(4, 5, 6);
    await later();
    expect(inputsOf()).toEqual([
      [1, 2],
      [3, 4, 5, 6],
    ]);
  });

  it('keeps no more batches ready than it may, and none that is not full', async () => {
    const { submit, inputsOf } = startBatcher({ ahead: 2 });
    submit(...Array.from({ length: 18 }, (_, index) => index));
    await later();
    expect(inputsOf().map((inputs) => inputs.length)).toEqual([4, 4, 4]);
    const other = startBatcher({ ahead: 2 });
    other.submit(1, 2, 3, 4, 5, 6, 7, 8, 9);
    await later(1000);
    // One is left: it is late, but no instance is idle.
    expect(other.inputsOf().map((inputs) => inputs.length)).toEqual([4, 4]);
  });

  it('lets one that is alone wait for others, and no longer than it may', async () => {
    const { submit, inputsOf, queuedUs } = startBatcher();
    // The clock has run before: a wait is counted from when it began.
    await later(500);
    submit(1);
    await later(40);
    expect(inputsOf()).toEqual([]);
    await later(19);
    expect(inputsOf()).toEqual([]);
    await later(1);
    expect(inputsOf()).toEqual([[1]]);
    expect(queuedUs).toEqual([60_000]);
  });

  it('lets one that comes fill the batch, whose own time is then not waited for', async () => {
    const { running, submit, inputsOf, queuedUs } = startBatcher();
    submit(1);
    await later(59);
    submit(2);
    await later();
    expect(inputsOf()).toEqual([[1, 2]]);
    expect(queuedUs).toEqual([59_000, 0]);
    running[0]!.end();
    await later();
    submit(3);
    await later(59);
    expect(inputsOf()).toHaveLength(1);
    await later(1);
    expect(inputsOf()[1]).toEqual([3]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not let the first one wait longer because others come that do not fill the batch', async () => {
    const { submit, inputsOf } = startBatcher({ preferredSizes: [8] });
    await later(500);
    submit(1);
    await later(40);
    submit(2);
    await later(19);
    expect(inputsOf()).toEqual([]);
    await later(1);
    expect(inputsOf()).toEqual([[1, 2]]);
  });

  it('has one timer, however many come', async () => {
    const { submit } = startBatcher({ preferredSizes: [8] });
    for (let index = 0; index < 5; index++) {
      submit(index);
      await later(1);
    }
    expect(vi.getTimerCount()).toBe(1);
  });

  it('rejects all of a batch that fails, and goes on with the next', async () => {
    const { running, submit } = startBatcher({ ahead: 0 });
    const [first, second, third, fourth] = submit(1, 2, 3, 4).map((result) =>
      result.catch((error: Error) => error.message),
    );
    await later();
    running[0]!.fail(new Error('crashed'));
    expect(await Promise.all([first, second, third, fourth])).toEqual(Array(4).fill('crashed'));
    const next = Promise.all(submit(5, 6));
    await later();
    running[1]!.end();
    expect(await next).toEqual([50, 60]);
  });
});
