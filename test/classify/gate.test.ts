import { describe, expect, it } from 'vitest';
import { Gate } from '../../src/classify/gate.ts';

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

  it('refuses at the deadline, when the queue is full, and when nobody wants the place any more', async () => {
    const gate = new Gate({ capacity: 1, maxWaiting: 2, maxHoldMs: 60_000 });
    const leave = await gate.enter(1, { deadline: soon() });
    const late = gate.enter(1, { deadline: Date.now() + 120 });
    const gone = gate.enter(1, { deadline: soon(), isCancelled: () => true });
    const refusals = [
      expect(late).rejects.toMatchObject({ code: 'overloaded', retryAfterSeconds: 1 }),
      expect(gone).rejects.toMatchObject({ code: 'client_closed' }),
    ];
    await expect(gate.enter(1, { deadline: soon() })).rejects.toMatchObject({ code: 'overloaded' });
    await Promise.all(refusals);
    leave();
    expect(gate.state()).toEqual({ used: 0, waiting: 0 });
  });

  it('takes back what a dead request never gave back', async () => {
    const gate = new Gate({ capacity: 1, maxWaiting: 2, maxHoldMs: 100 });
    await gate.enter(1, { deadline: soon() });
    const release = await gate.enter(1, { deadline: soon() });
    release();
    expect(gate.state().used).toBe(0);
  });
});
