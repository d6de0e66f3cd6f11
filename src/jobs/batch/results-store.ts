import type { R2Bucket } from '@cloudflare/workers-types';
import { resultsKey } from './batch.ts';
import { type ChunkResults, formatResults, type NamedResult, parseResults } from './named-results.ts';

/** How often a write is tried again because another consumer wrote first. Two consumers at once are already rare. */
const maxConflicts = 8;

/** Results of chunks in R2. A result that is stored is never replaced: the object only grows. */
export class ResultsStore {
  readonly #bucket: R2Bucket;

  constructor(bucket: R2Bucket) {
    this.#bucket = bucket;
  }

  async read(batchId: string, chunk: number): Promise<Map<number, NamedResult>> {
    const object = await this.#bucket.get(resultsKey(batchId, chunk));
    return object ? parseResults(await object.text()) : new Map();
  }

  /**
   * Adds results to those that are stored, also while another consumer does the same.
   *
   * @returns What is stored now.
   * @throws {Error} If R2 fails; then nothing was added.
   */
  async add(batchId: string, chunk: number, added: ChunkResults): Promise<ChunkResults> {
    const key = resultsKey(batchId, chunk);
    for (let conflict = 0; conflict < maxConflicts; conflict++) {
      const object = await this.#bucket.get(key);
      const stored = object ? parseResults(await object.text()) : new Map<number, NamedResult>();
      const merged = new Map([...added, ...stored]);
      if (merged.size === stored.size) return stored;
      const onlyIf = object ? { etagMatches: object.etag } : { etagDoesNotMatch: '*' };
      if (await this.#bucket.put(key, formatResults(merged), { onlyIf })) return merged;
    }
    throw new Error(`Results of ${key} changed ${maxConflicts} times while they were written.`);
  }
}
