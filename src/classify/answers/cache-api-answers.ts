import type { Classification } from '../classification.ts';
import type { AnswerStore } from './answer-store.ts';

/** Never fetched: the Cache API wants a URL for a key. */
const keyPrefix = 'https://answers.resnet-edge.invalid/';

/**
 * Answers in Cloudflare's Cache API: shared by the isolates of one data centre, nothing a visitor can
 * reach. On `*.workers.dev` the API accepts and forgets everything; a custom domain has the real one.
 */
export function createCacheApiAnswers(cache: Cache, ttlSeconds: number): AnswerStore {
  return {
    async get(key) {
      const stored = await cache.match(keyPrefix + key);
      return stored && ((await stored.json()) as Classification);
    },
    async put(key, answer) {
      const headers = { 'cache-control': `max-age=${ttlSeconds}`, 'content-type': 'application/json' };
      await cache.put(keyPrefix + key, new Response(JSON.stringify(answer), { headers }));
    },
  };
}
