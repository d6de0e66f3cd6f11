import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BodyBudget, type BodyWait } from '../../src/http/body-budget.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** 22 units, of which 2 are for bodies of at most 1. */
const createBudget = (options = {}) =>
  new BodyBudget({
    capacity: 22,
    smallBodyRoom: 2,
    maxSmallBody: 1,
    callerShare: 10,
    paceMs: 30_000,
    borrowedPaceMs: 6_000,
    maxWaiting: 3,
    maxHoldMs: 60_000,
    ...options,
  });
const soon = () => ({ deadline: Date.now() + 2_000, isCancelled: () => false });
const openLarge = (budget: BodyBudget, wait: BodyWait = soon()) => budget.open(20, wait, 20);
const openSmall = (budget: BodyBudget) => budget.open(1, soon(), 1);
/** Whether it was granted without waiting. */
async function isGranted(growth: Promise<void>): Promise<boolean> {
  let granted = false;
  growth.then(
    () => (granted = true),
    () => undefined,
  );
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  return granted;
}

describe('BodyBudget', () => {
  it('holds what has come, not what was declared', async () => {
    const budget = createBudget();
    for (let i = 0; i < 8; i++) openLarge(budget);
    expect(budget.state()).toEqual({ used: 0, waiting: 0 });
    const photo = openSmall(budget);
    await photo.growTo(1);
    await openLarge(budget).growTo(3);
    expect(budget.state()).toEqual({ used: 4, waiting: 0 });
    photo.release();
    photo.release();
    expect(budget.state().used).toBe(3);
  });

  it('never lets two large bodies wait for each other: the second waits until the first is whole', async () => {
    const budget = createBudget();
    const [first, second] = [openLarge(budget), openLarge(budget)];
    await first.growTo(12);
    // With 1 of it the first could have no more than 19 of its 20.
    const growth = second.growTo(1);
    expect(await isGranted(growth)).toBe(false);
    expect(await isGranted(first.growTo(20))).toBe(true);
    first.release();
    expect(await isGranted(growth)).toBe(true);
  });

  it('takes a body that says nothing of its length for small, and for four times what has come as it grows', async () => {
    const budget = createBudget();
    const unknown = Array.from({ length: 4 }, () => budget.open(20, soon()));
    for (const body of unknown) expect(await isGranted(body.growTo(0.5))).toBe(true);
    for (const body of unknown.slice(2)) expect(await isGranted(body.growTo(2))).toBe(true);
    expect(budget.state()).toEqual({ used: 5, waiting: 0 });
    const [, , first, second] = unknown;
    expect(await isGranted(first!.growTo(9))).toBe(true);
    // Each might come to 20 now.
    const growth = second!.growTo(9);
    expect(await isGranted(growth)).toBe(false);
    first!.settle();
    expect(await isGranted(growth)).toBe(true);
  });

  it('lets a small body pass a large one that waits, and keeps room for it', async () => {
    const budget = createBudget();
    await openLarge(budget).growTo(20);
    const large = openLarge(budget).growTo(1);
    expect(await isGranted(large)).toBe(false);
    const [photo, second, third] = [openSmall(budget), openSmall(budget), openSmall(budget)];
    expect(await isGranted(photo.growTo(1))).toBe(true);
    expect(await isGranted(second.growTo(1))).toBe(true);
    const late = third.growTo(1);
    expect(await isGranted(late)).toBe(false);
    photo.release();
    expect(await isGranted(late)).toBe(true);
    await vi.advanceTimersByTimeAsync(0);
    large.catch(() => undefined);
  });

  it('gives what is left to the next as soon as a body is whole or gone', async () => {
    const budget = createBudget();
    const first = budget.open(20, soon(), 16);
    await first.growTo(15);
    const second = openLarge(budget);
    expect(await isGranted(second.growTo(4))).toBe(true);
    // Nothing would be left for the last unit of the first.
    const fifth = second.growTo(5);
    expect(await isGranted(fifth)).toBe(false);
    first.settle(); // it was shorter than it might have been
    expect(await isGranted(fifth)).toBe(true);
    const sixth = second.growTo(6);
    expect(await isGranted(sixth)).toBe(false);
    first.release();
    expect(await isGranted(sixth)).toBe(true);
    expect(budget.state()).toEqual({ used: 6, waiting: 0 });
  });

  it('takes a limit above all there is for large bodies as the whole of that', async () => {
    const budget = createBudget();
    await budget.open(1000, soon(), 1000).growTo(1000);
    expect(budget.state().used).toBe(20);
  });

  it('refuses at the deadline, when nobody wants the body any more, and when too many wait', async () => {
    const budget = createBudget({ maxWaiting: 2 });
    await openLarge(budget).growTo(20);
    let isGone = false;
    const late = openLarge(budget, { deadline: Date.now() + 200, isCancelled: () => false }).growTo(1);
    const gone = openLarge(budget, { deadline: Date.now() + 2_000, isCancelled: () => isGone }).growTo(1);
    await expect(openLarge(budget).growTo(1)).rejects.toMatchObject({ code: 'overloaded' });
    const refusals = [
      expect(late).rejects.toMatchObject({ code: 'overloaded', retryAfterSeconds: 1 }),
      expect(gone).rejects.toMatchObject({ code: 'client_closed' }),
    ];
    await vi.advanceTimersByTimeAsync(150);
    expect(budget.state().waiting).toBe(2);
    isGone = true;
    await vi.advanceTimersByTimeAsync(50);
    await Promise.all(refusals);
    expect(budget.state()).toEqual({ used: 20, waiting: 0 });
  });

  it('takes back what a dead request never gave back, and gives it nothing more', async () => {
    const budget = createBudget({ maxHoldMs: 100 });
    const dead = openLarge(budget);
    await dead.growTo(19);
    await vi.advanceTimersByTimeAsync(50);
    const next = openLarge(budget).growTo(20);
    await vi.advanceTimersByTimeAsync(50);
    await next;
    expect(budget.state().used).toBe(20);
    const refusal = expect(dead.growTo(20)).rejects.toMatchObject({ code: 'overloaded' });
    await vi.advanceTimersByTimeAsync(2_000);
    await refusal;
    dead.release();
    expect(budget.state().waiting).toBe(0);
  });
});

describe('a caller’s share', () => {
  const by = (caller: string) => ({ ...soon(), caller });

  it('lets one body have all that a body may, and others only beside it', async () => {
    const budget = createBudget();
    const largest = budget.open(20, by('ann'), 20);
    expect(await isGranted(largest.growTo(20))).toBe(true);
    // Half of the room for small bodies is somebody else's.
    const [photo, second] = [budget.open(1, by('ann'), 1), budget.open(1, by('ann'), 1)];
    expect(await isGranted(photo.growTo(1))).toBe(true);
    const late = second.growTo(1);
    expect(await isGranted(late)).toBe(false);
    expect(await isGranted(budget.open(1, by('bob'), 1).growTo(1))).toBe(true);
    largest.release();
    expect(await isGranted(late)).toBe(true);
  });

  it.each([2, 3, 5])('leaves half to others, however many bodies of %i come', async (size) => {
    const budget = createBudget();
    const bodies = Array.from({ length: 12 }, () => budget.open(20, by('ann'), size));
    const growths = bodies.map((body) => body.growTo(size));
    for (const growth of growths) growth.catch(() => undefined);
    await Promise.resolve();
    expect(budget.state().used).toBeLessThanOrEqual(10);
    expect(await isGranted(budget.open(10, by('bob'), 10).growTo(10))).toBe(true);
  });

  it('lets two bodies that are larger come one after the other, and never wait for each other', async () => {
    const budget = createBudget();
    const [first, second] = [budget.open(20, by('ann'), 15), budget.open(20, by('ann'), 15)];
    expect(await isGranted(first.growTo(4))).toBe(true);
    expect(await isGranted(second.growTo(4))).toBe(true);
    expect(await isGranted(first.growTo(15))).toBe(true);
    const growth = second.growTo(15);
    expect(await isGranted(growth)).toBe(false);
    first.release();
    expect(await isGranted(growth)).toBe(true);
  });

  it('asks for haste of who has more, while another caller waits, and of nobody else', async () => {
    const budget = createBudget();
    const largest = budget.open(20, by('ann'), 20);
    await largest.growTo(20);
    expect([largest.paceMs(), largest.isOverdue()]).toEqual([undefined, false]);
    // Her own wait for her share: that is no haste of hers.
    const own = budget.open(20, by('ann'), 12);
    own.growTo(12).catch(() => undefined);
    expect(largest.paceMs()).toBeUndefined();
    const other = budget.open(4, by('bob'), 4);
    const growth = other.growTo(4);
    expect(await isGranted(growth)).toBe(false);
    expect([largest.paceMs(), other.paceMs()]).toEqual([6_000, undefined]);
    largest.release();
    // Bob was served less often.
    expect(await isGranted(growth)).toBe(true);
  });

  it('counts the time of a large body that waits for nothing itself', async () => {
    const budget = createBudget();
    const wait = { deadline: Date.now() + 60_000, isCancelled: () => false };
    const largest = budget.open(20, { ...wait, caller: 'ann' }, 20);
    await largest.growTo(20);
    const other = budget.open(4, { ...wait, caller: 'bob' }, 4);
    const growth = other.growTo(4);
    await vi.advanceTimersByTimeAsync(6_000);
    expect(largest.isOverdue()).toBe(false);
    await vi.advanceTimersByTimeAsync(50);
    expect(largest.isOverdue()).toBe(true);
    largest.release();
    await growth;
    const small = budget.open(20, { ...wait, caller: 'cy' }, 18);
    small.growTo(18).catch(() => undefined);
    await vi.advanceTimersByTimeAsync(10_000);
    // It has less than the share: the usual pace, and six seconds of that were spent waiting.
    expect([other.paceMs(), other.isOverdue()]).toEqual([30_000, false]);
  });
});
