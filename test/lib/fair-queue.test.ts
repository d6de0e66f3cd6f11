import { describe, expect, it } from 'vitest';
import { FairQueue } from '../../src/lib/fair-queue.ts';

const item = (caller: string | undefined, name: string) => ({ caller, name });

describe('a fair queue', () => {
  it('lets callers take turns, and keeps the order of each', () => {
    const queue = new FairQueue<{ caller: string | undefined; name: string }>(100);
    for (const name of ['a1', 'a2', 'a3', 'b1', 'a4', 'b2', 'c1']) queue.push(item(name[0], name));
    const served: string[] = [];
    while (queue.length > 0) {
      const [next] = queue.inOrder();
      served.push(next!.name);
      queue.serve(next!);
    }
    expect(served).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4']);
  });

  it('forgets who was served once nobody waits', () => {
    const queue = new FairQueue<{ caller: string | undefined; name: string }>(100);
    const first = item('a', 'a1');
    queue.push(first);
    queue.serve(first);
    queue.push(item('a', 'a2'));
    queue.push(item('b', 'b1'));
    expect(queue.inOrder()[0]!.name).toBe('a2');
  });

  it('loses nobody else when what waits no longer is removed again', () => {
    const queue = new FairQueue<{ caller: string | undefined; name: string }>(8);
    const [first, second] = [item('a', 'a1'), item('b', 'b1')];
    queue.push(first);
    queue.push(second);
    queue.remove(first);
    queue.remove(first);
    expect([queue.has(first), queue.has(second), queue.length]).toEqual([false, true, 1]);
  });

  it('keeps a quarter of its places from each known caller, and none from the unknown', () => {
    const queue = new FairQueue<{ caller: string | undefined; name: string }>(8);
    for (let index = 0; index < 6; index++) {
      expect(queue.hasRoom('a')).toBe(true);
      queue.push(item('a', ''));
    }
    expect(queue.hasRoom('a')).toBe(false);
    expect(queue.hasRoom('b')).toBe(true);
    queue.push(item('b', ''));
    expect(queue.hasRoom(undefined)).toBe(true);
    queue.push(item(undefined, ''));
    expect(queue.hasRoom('b')).toBe(false);
    const one = new FairQueue<{ caller: string | undefined; name: string }>(1);
    expect(one.hasRoom('a')).toBe(true);
  });
});
