import { expect, test } from 'vitest';
import type { Scoring } from '../../src/classify/choice.ts';
import { isUnknown } from '../../src/classify/is-unknown.ts';
import type { Head } from '../../src/model/head.ts';

/** A head that wants a score of 0.5 and a similarity of 0.8. */
const head = { threshold: 0.5, min_similarity: 0.8 } as Head;
const prediction = (class_index: number, score: number) => ({ class_index, wnid: '', label: '', score });
const judge = (score: number, similarity: number | undefined, scoring: Scoring = 'model') =>
  isUnknown(head, scoring, [prediction(0, score), prediction(1, 0.9)], similarity);

test('an image is known if its best score and its similarity are what the head wants', () => {
  expect(judge(0.5, 0.8)).toBe(false);
});

test.each([
  { score: 0.49, similarity: 0.8 },
  { score: 0.5, similarity: 0.79 },
])('it is unknown at a score of $score and a similarity of $similarity', ({ score, similarity }) => {
  expect(judge(score, similarity)).toBe(true);
});

test.each<[Scoring, boolean]>([
  ['model', true],
  ['softmax', true],
  ['sigmoid', false],
  ['none', false],
])('a low score counts where scores share what there is: %s', (scoring, unknown) => {
  expect(judge(0.1, 0.9, scoring)).toBe(unknown);
});

test('similarity counts however it is scored', () => {
  expect(judge(0.9, 0.1, 'none')).toBe(true);
});

test('nothing is said of an image without predictions, or without a similarity', () => {
  expect(isUnknown(head, 'model', [], 0.1)).toBe(false);
  expect(judge(0.1, undefined)).toBe(false);
});
