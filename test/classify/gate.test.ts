import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Gate } from '../../src/classify/gate.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});
const soon = () => Date.now() + 2_000;

describe('Gate', () => {
  it('lets so much in at once, and the next one when something is given back, first come first served', async () => {
    const gate = new Gate({ capacity: 10, maxWaiting: 5, maxHoldMs: 60_000 });
    const leave = await gate.enter(8, { deadline: soon() });
    const order: string[] = [];
    const large = gate.enter(6, { deadline: soon() }).then((release) => {
      order.push('large');
      return release;
    });
    // It would fit, but it came later: a large body must not wait for ever behind small ones.
    const small = gate.enter(1, { deadline: soon() }).then((release) => {
      order.push('small');
      return release;
    });
    expect(gate.state()).toEqual({ used: 8, waiting: 2 });
    leave();
    leave();
    for (const release of await Promise.all([large, small])) release();
    expect(order).toEqual(['large', 'small']);
    expect(gate.state()).toEqual({ used: 0, waiting: 0 });
  });

  it('lets in what fills it to the brim, and nothing beside it', async () => {
    const gate = new Gate({ capacity: 10, maxWaiting: 1, maxHoldMs: 60_000 });
    await gate.enter(4, { deadline: soon() });
    await gate.enter(6, { deadline: soon() });
    expect(gate.state()).toEqual({ used: 10, waiting: 0 });
    void gate.enter(1, { deadline: soon() }).catch(() => undefined);
    expect(gate.state()).toEqual({ used: 10, waiting: 1 });
  });

  it('takes what is larger than all of it for the whole', async () => {
    const gate = new Gate({ capacity: 10, maxWaiting: 1, maxHoldMs: 60_000 });
    const leave = await gate.enter(1000, { deadline: soon() });
    expect(gate.state().used).toBe(10);
    leave();
    expect(gate.state().used).toBe(0);
  });

  it('refuses at the deadline, not before it', async () => {
    const gate = new Gate({ capacity: 1, maxWaiting: 2, maxHoldMs: 60_000 });
    await gate.enter(1, { deadline: soon() });
    const refused = vi.fn();
    const late = gate.enter(1, { deadline: Date.now() + 200 }).catch(refused);
    await vi.advanceTimersByTimeAsync(199);
    expect(refused).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    await late;
    expect(refused).toHaveBeenCalledWith(
      expect.objectContaining({ code: 'overloaded', retryAfterSeconds: 1 }),
    );
    expect(gate.state()).toEqual({ used: 1, waiting: 0 });
  });

  it('refuses when the queue is full, and when nobody wants the place any more', async () => {
    const gate = new Gate({ capacity: 1, maxWaiting: 2, maxHoldMs: 60_000 });
    const leave = await gate.enter(1, { deadline: soon() });
    let isGone = false;
    const gone = gate.enter(1, { deadline: soon(), isCancelled: () => isGone });
    const stays = gate.enter(1, { deadline: soon() });
    await expect(gate.enter(1, { deadline: soon() })).rejects.toMatchObject({ code: 'overloaded' });
    const refusal = expect(gone).rejects.toMatchObject({ code: 'client_closed' });
    isGone = true;
    await vi.advanceTimersByTimeAsync(50);
    await refusal;
    leave();
    (await stays)();
    expect(gate.state()).toEqual({ used: 0, waiting: 0 });
  });

  it('takes back what a dead request never gave back', async () => {
    const gate = new Gate({ capacity: 1, maxWaiting: 2, maxHoldMs: 100 });
    await gate.enter(1, { deadline: soon() });
    const waiting = gate.enter(1, { deadline: soon() });
    await vi.advanceTimersByTimeAsync(99);
    expect(gate.state()).toEqual({ used: 1, waiting: 1 });
    await vi.advanceTimersByTimeAsync(1);
    const release = await waiting;
    release();
    expect(gate.state().used).toBe(0);
  });

  it('gives no place to a request whose deadline has passed, though there is one', async () => {
    const gate = new Gate({ capacity: 1, maxWaiting: 5, maxHoldMs: 60_000 });
    await expect(gate.enter(1, { deadline: Date.now() })).rejects.toMatchObject({ code: 'overloaded' });
    await expect(gate.enter(1, { deadline: soon(), isCancelled: () => true })).rejects.toMatchObject({
      code: 'client_closed',
    });
    expect(gate.state()).toEqual({ used: 0, waiting: 0 });
  });

  it('lets callers take turns', async () => {
    const gate = new Gate({ capacity: 1, maxWaiting: 20, maxHoldMs: 60_000 });
    const order: string[] = [];
    let leave = await gate.enter(1, { deadline: soon() });
    const waits = ['a', 'a', 'a', 'b'].map(async (caller) => {
      const release = await gate.enter(1, { deadline: soon(), caller });
      order.push(caller);
      leave = release;
    });
    for (let served = 0; served < waits.length; served++) {
      leave();
      await expect.poll(() => order.length).toBe(served + 1);
    }
    await Promise.all(waits);
    expect(order).toEqual(['a', 'b', 'a', 'a']);
  });
});
