import { describe, expect, it } from 'vitest';
import { toPredictions } from '../../src/classify/classify.ts';
import { softmax } from '../../src/classify/softmax.ts';
import { topK } from '../../src/lib/top-k.ts';
import type { ModelOutput } from '../../src/model/manifest.ts';

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

describe('a model that answers for each class by itself', () => {
  const labels = ['dog', 'animal', 'car'].map((label) => ({ wnid: '', label }));
  const output: ModelOutput = {
    name: 'logits',
    kind: 'logits',
    scoring: 'sigmoid',
    threshold: 0.5,
    classes: 3,
  };
  // numpy: log(p / (1 - p)) of .84, .70 and .02
  const logits = new Float32Array([1.6582280766, 0.8472978604, -3.8918202981]);
  const scoresOf = (
    scoring: 'model' | 'softmax' | 'sigmoid',
    given: Float32Array = logits,
    as: ModelOutput = output,
  ) =>
    toPredictions(given, { output: as }, labels, { topK: 1, scoring }).map(
      ({ label, score }) => `${label} ${score.toFixed(2)}`,
    );

  it('gives every class that reaches the threshold, however many were asked for', () => {
    expect(scoresOf('model')).toEqual(['dog 0.84', 'animal 0.70']);
  });
  it('gives none where none reaches it', () => {
    expect(scoresOf('model', new Float32Array([-2, -2, -2]))).toEqual([]);
  });
  it('leaves scores that the graph gives as they are', () => {
    const given = new Float32Array([0.84, 0.7, 0.02]);
    expect(scoresOf('model', given, { ...output, kind: 'probabilities' })).toEqual([
      'dog 0.84',
      'animal 0.70',
    ]);
  });
  it('is scored otherwise for who asks for it', () => {
    expect(scoresOf('sigmoid')).toEqual(['dog 0.84']);
    expect(scoresOf('softmax')).toEqual(['dog 0.69']);
  });
});
