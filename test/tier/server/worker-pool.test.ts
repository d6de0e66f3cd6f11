import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { CodedError } from '../../../src/errors.ts';
import { WorkerPool } from '../../../src/tier/server/worker-pool.ts';

const timeoutMs = 60_000;
/** Before the first thread that replaces one which never answered. */
const restartMs = 50;
let pool: WorkerPool<number>;
// A thread that is slow to start is not one that hangs: time passes where a test says so.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(async () => {
  vi.useRealTimers();
  await pool.close();
});

const startPool = (size: number) =>
  new WorkerPool<number>(new URL('./fragile-worker.ts', import.meta.url), {
    size,
    depth: 2,
    timeoutMs,
    onDeath: (reason) => new CodedError('inference_failed', reason),
  });

/** Until a job that hangs is given up, and another thread started. */
async function passTime(hanging: Promise<number> | undefined): Promise<void> {
  vi.advanceTimersByTime(timeoutMs);
  await hanging?.catch(() => undefined);
  vi.advanceTimersByTime(restartMs);
}

it('a thread that dies takes the job with it that it was at, and none that waited behind it', async () => {
  pool = startPool(1);
  const results = await Promise.allSettled([1, 'die', 2, 3].map((job) => pool.run(job)));
  expect(results).toEqual([
    { status: 'fulfilled', value: 1 },
    { status: 'rejected', reason: expect.objectContaining({ message: 'it crashed' }) },
    { status: 'fulfilled', value: 2 },
    { status: 'fulfilled', value: 3 },
  ]);
});

it('a job that nobody waits for any more is not begun', async () => {
  pool = startPool(1);
  const gone = new AbortController();
  const jobs = ['hang', 1, 'die', 2].map((job) => pool.run(job, job === 'die' ? gone.signal : undefined));
  const ends = Promise.allSettled(jobs);
  gone.abort();
  await passTime(jobs[0]);
  const [, , dropped, last] = await ends;
  expect(dropped).toMatchObject({ reason: { code: 'client_closed' } });
  expect(last).toEqual({ status: 'fulfilled', value: 2 });
});

it('a job that is done leaves nothing of itself on the signal that many share', async () => {
  pool = startPool(1);
  const { signal } = new AbortController();
  await Promise.allSettled([1, 'die', 2].map((job) => pool.run(job, signal)));
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

it('a job that never ends is given up by itself, its time counted from its turn', async () => {
  pool = startPool(1);
  const [first, second, third] = ['hang', 'hang', 4].map((job) => pool.run(job));
  let isSecondOver = false;
  second!.catch(() => (isSecondOver = true));
  await passTime(first);
  await expect(first).rejects.toThrow('it took over 60000 ms');
  vi.advanceTimersByTime(timeoutMs - 1);
  expect(isSecondOver).toBe(false);
  vi.advanceTimersByTime(1);
  await expect(second).rejects.toThrow('it took over 60000 ms');
  vi.advanceTimersByTime(2 * restartMs);
  expect(await third).toBe(4);
});

it('threads that cannot start are not started over and over, and nothing waits for them for ever', async () => {
  pool = new WorkerPool<number>(new URL('./no-such-worker.ts', import.meta.url), {
    size: 2,
    depth: 1,
    timeoutMs,
    onDeath: (reason, cause) => new CodedError('inference_failed', reason, { cause }),
  });
  vi.useRealTimers();
  const results = await Promise.allSettled([1, 2, 3, 4, 5, 6, 7, 8].map((job) => pool.run(job)));
  expect(results.every(({ status }) => status === 'rejected')).toBe(true);
  expect(results.at(-1)).toMatchObject({
    reason: {
      message: 'no thread can be started',
      cause: { message: expect.stringContaining('no-such-worker') },
    },
  });
});
