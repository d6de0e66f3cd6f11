import { expect, it } from 'vitest';
import { createCacheApiAnswers } from '../../../src/classify/answers/cache-api-answers.ts';
import type { Classification } from '../../../src/classify/classification.ts';

/** A cache of one data centre, as far as answers use it. */
function createCache(): Cache {
  const entries = new Map<string, Response>();
  return {
    match: async (key: string) => entries.get(key)?.clone(),
    put: async (key: string, response: Response) => void entries.set(key, response),
  } as unknown as Cache;
}

const answer: Classification = {
  model: 'a',
  model_version: '1',
  tier: 'edge',
  image: { format: 'jpeg', width: 2, height: 1 },
  predictions: [{ class_index: 285, wnid: 'n02124075', label: 'Egyptian cat', score: 0 }],
};

it('gives back what it was given', async () => {
  const answers = createCacheApiAnswers(createCache(), 60);
  await answers.put('key', answer);
  expect(await answers.get('key')).toEqual(answer);
  expect(await answers.get('another')).toBeUndefined();
});

it.each([
  ['the answer of a version that kept it one level deeper', { tier: 'edge', classification: answer }],
  ['one without predictions', { ...answer, predictions: [] }],
  ['no object', 'forgotten'],
])('has forgotten %s', async (_, stored) => {
  const answers = createCacheApiAnswers(createCache(), 60);
  await answers.put('key', stored as unknown as Classification);
  expect(await answers.get('key')).toBeUndefined();
});
