import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SingleFlight } from '../../src/classify/answers/single-flight.ts';
import { CodedError } from '../../src/errors.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const passenger = (waitMs = 10_000, isCancelled = () => false) => ({
  keepAlive: vi.fn(),
  deadline: Date.now() + waitMs,
  isCancelled,
});

/** Runs that end when they are told to. */
function createRuns() {
  const runs: (PromiseWithResolvers<number> & { isAbandoned: () => boolean })[] = [];
  const run = (isAbandoned: () => boolean) => {
    const ends = Promise.withResolvers<number>();
    runs.push({ ...ends, isAbandoned });
    return ends.promise;
  };
  return { runs, work: { run } };
}

describe('SingleFlight', () => {
  it('runs once for all that ask at the same time, and anew for who asks later', async () => {
    const flights = new SingleFlight<number>();
    const { runs, work } = createRuns();
    const first = passenger();
    const asked = [first, passenger(), passenger()].map((each) => flights.join('a', each, work));
    void flights.join('b', passenger(), work);
    expect(runs).toHaveLength(2);
    expect(first.keepAlive).toHaveBeenCalledOnce();
    runs[0]!.resolve(1);
    expect(await Promise.all(asked)).toEqual([
      { value: 1, shared: false },
      { value: 1, shared: true },
      { value: 1, shared: true },
    ]);
    const later = flights.join('a', passenger(), work);
    runs[2]!.resolve(2);
    expect(await later).toEqual({ value: 2, shared: false });
  });

  it('lasts until its result is kept, so that nobody runs it again in between', async () => {
    const flights = new SingleFlight<number>();
    const { runs, work } = createRuns();
    const kept = Promise.withResolvers<void>();
    const keeping = { ...work, keep: vi.fn(() => kept.promise) };
    const first = flights.join('a', passenger(), keeping);
    runs[0]!.resolve(1);
    expect(await first).toEqual({ value: 1, shared: false });
    expect(await flights.join('a', passenger(), keeping)).toEqual({ value: 1, shared: true });
    expect(keeping.keep).toHaveBeenCalledExactlyOnceWith(1);
    kept.resolve();
    await vi.advanceTimersByTimeAsync(0);
    const later = flights.join('a', passenger(), keeping);
    expect(runs).toHaveLength(2);
    runs[1]!.resolve(2);
    expect(await later).toEqual({ value: 2, shared: false });
  });

  it('ends at its deadline when its result is not kept in time', async () => {
    const flights = new SingleFlight<number>();
    const { runs, work } = createRuns();
    const stuck = { ...work, keep: () => new Promise<void>(() => undefined) };
    const first = flights.join('a', passenger(1000), stuck);
    runs[0]!.resolve(1);
    await first;
    await vi.advanceTimersByTimeAsync(1000);
    const next = flights.join('a', passenger(), work);
    runs[1]!.resolve(2);
    expect(await next).toEqual({ value: 2, shared: false });
  });

  it('may stop once every client has gone, and not before', async () => {
    const flights = new SingleFlight<number>();
    const { runs, work } = createRuns();
    let isSecondGone = false;
    const gone = passenger(10_000, () => true);
    const second = passenger(10_000, () => isSecondGone);
    const asked = [gone, second].map((each) => flights.join('a', each, work));
    expect(runs[0]!.isAbandoned()).toBe(false);
    isSecondGone = true;
    expect(runs[0]!.isAbandoned()).toBe(true);
    runs[0]!.resolve(1);
    await Promise.all(asked);
  });

  it('is run again by one that came as it stopped', async () => {
    const flights = new SingleFlight<number>();
    const { runs, work } = createRuns();
    const left = flights.join(
      'a',
      passenger(10_000, () => true),
      work,
    );
    const stays = flights.join('a', passenger(), work);
    runs[0]!.reject(new CodedError('client_closed', 'The client went away.'));
    await expect(left).rejects.toMatchObject({ code: 'client_closed' });
    await vi.advanceTimersByTimeAsync(0);
    runs[1]!.resolve(2);
    expect(await stays).toEqual({ value: 2, shared: false });
  });

  it.each([
    ['more time', 10_001, 2],
    ['no more time', 10_000, 1],
  ])('that failed for want of time: a passenger with %s', async (_, waitMs, count) => {
    const flights = new SingleFlight<number>();
    const { runs, work } = createRuns();
    const first = flights.join('a', passenger(10_000), work).catch(() => undefined);
    const other = flights.join('a', passenger(waitMs), work).catch((error: CodedError) => error.code);
    runs[0]!.reject(new CodedError('overloaded', 'busy', { retryAfterSeconds: 1 }));
    await first;
    await vi.advanceTimersByTimeAsync(0);
    expect(runs).toHaveLength(count);
    runs[1]?.resolve(2);
    expect(await other).toEqual(count === 2 ? { value: 2, shared: false } : 'overloaded');
  });

  it('shares what is wrong with the work itself', async () => {
    const flights = new SingleFlight<number>();
    const { runs, work } = createRuns();
    const asked = [passenger(), passenger(20_000)].map((each) => flights.join('a', each, work));
    const refusals = asked.map((each) => expect(each).rejects.toMatchObject({ code: 'image_truncated' }));
    runs[0]!.reject(new CodedError('image_truncated', 'It ends too early.'));
    await Promise.all(refusals);
    expect(runs).toHaveLength(1);
  });

  it('is left by each at its deadline; whoever asks after that begins anew', async () => {
    const flights = new SingleFlight<number>();
    const { runs, work } = createRuns();
    const refusal = expect(flights.join('a', passenger(1000), work)).rejects.toMatchObject({
      code: 'overloaded',
      retryAfterSeconds: 1,
    });
    await vi.advanceTimersByTimeAsync(1000);
    await refusal;
    const next = flights.join('a', passenger(), work);
    runs[1]!.resolve(2);
    expect(await next).toEqual({ value: 2, shared: false });
  });
});
