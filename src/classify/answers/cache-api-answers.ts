import type { Classification } from '../classification.ts';
import type { AnswerStore } from './answer-store.ts';

/** Nobody fetches this URL. The Cache API wants a URL as key. */
const keyPrefix = 'https://answers.resnet-edge.invalid/';

/**
 * Answers in Cloudflare's Cache API: shared by the isolates of one data centre, nothing a visitor can
 * reach. On `*.workers.dev` the API accepts and forgets everything; a custom domain has the real one.
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

/** The cache outlives a deploy: what an earlier version of the service remembered in another shape is forgotten. */
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
