import { describe, expect, it } from 'vitest';
import { softmax } from '../../src/classify/softmax.ts';
import { topK } from '../../src/lib/top-k.ts';

describe('softmax', () => {
  // scipy.special.softmax([1, 2, 3])
  const expected = [0.09003057, 0.24472847, 0.66524096];

  it('gives what scipy gives', () => {
    softmax(new Float32Array([1, 2, 3])).forEach((value, index) => {
      expect(value).toBeCloseTo(expected[index]!, 7);
    });
  });
  it('does not overflow on large logits, nor vanish on small ones', () => {
    for (const shift of [1000, -1000]) {
      softmax(new Float32Array([1 + shift, 2 + shift, 3 + shift])).forEach((value, index) => {
        expect(value).toBeCloseTo(expected[index]!, 7);
      });
    }
  });
  it('takes the largest logit wherever it stands, and equal ones for equal', () => {
    expect([...softmax(new Float32Array([90, -90, 0]))]).toEqual([
      1,
      Math.fround(Math.exp(-180)),
      Math.fround(Math.exp(-90)),
    ]);
    expect([...softmax(new Float32Array([-5, -5]))]).toEqual([0.5, 0.5]);
    expect([...softmax(new Float32Array([1000, -1000]))]).toEqual([1, 0]);
  });
  it('is 1 for a single class', () => expect([...softmax(new Float32Array([7]))]).toEqual([1]));
});

describe('topK', () => {
  it('orders by value, equal values by index', () => {
    expect(topK(new Float32Array([0.1, 0.4, 0.1, 0.4]), 4)).toEqual([1, 3, 0, 2]);
  });
  it('gives all when asked for more', () => expect(topK(new Float32Array([1, 2]), 5)).toEqual([1, 0]));
});
