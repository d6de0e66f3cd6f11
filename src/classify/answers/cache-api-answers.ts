import type { Classification } from '../classification.ts';
import type { AnswerStore } from './answer-store.ts';

/** Nobody fetches this URL. The Cache API wants a URL as key. */
const keyPrefix = 'https://answers.resnet-edge.invalid/';

/**
 * Answers in Cloudflare's Cache API. The isolates of one data centre share them, and no visitor can reach them. On
 * `*.workers.dev` the API accepts and forgets everything; it keeps answers on a custom domain.
 */
export function createCacheApiAnswers(cache: Cache, ttlSeconds: number): AnswerStore {
  return {
    async get(key) {
      const stored = await cache.match(keyPrefix + key);
      const answer: unknown = await stored?.json();
      return isClassification(answer) ? answer : undefined;
    },
    async put(key, answer) {
      const headers = { 'cache-control': `max-age=${ttlSeconds}`, 'content-type': 'application/json' };
      await cache.put(keyPrefix + key, new Response(JSON.stringify(answer), { headers }));
    },
  };
}

/** The cache outlives a deploy: an answer that an older version stored in another shape is ignored. */
function isClassification(answer: unknown): answer is Classification {
  if (typeof answer !== 'object' || answer === null) return false;
  const { model, model_version, tier, image, predictions } = answer as Partial<Classification>;
  return (
    [model, model_version, tier, image?.format].every((text) => typeof text === 'string') &&
    [image?.width, image?.height, predictions?.[0]?.class_index, predictions?.[0]?.score].every(
      Number.isFinite,
    )
  );
}
