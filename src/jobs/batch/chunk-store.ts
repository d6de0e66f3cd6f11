import type { D1Database } from '@cloudflare/workers-types';
import type { Chunk, InputReference, Troubles } from './batch.ts';

/** The chunks of batches in D1: their inputs and their progress. */
export class ChunkStore {
  readonly #db: D1Database;
  readonly #now: () => number;

  constructor(db: D1Database, now: () => number = Date.now) {
    this.#db = db;
    this.#now = now;
  }

  /** Adds chunks to a batch that is still `starting`. */
  async add(
    batchId: string,
    chunks: readonly {
      readonly chunk: number;
      readonly firstIndex: number;
      readonly inputs: readonly InputReference[];
    }[],
  ): Promise<void> {
    const rows = chunks.map(({ chunk, firstIndex, inputs }) => [
      chunk,
      firstIndex,
      inputs.length,
      JSON.stringify(inputs),
    ]);
    await this.#db
      .prepare(
        `INSERT INTO batch_chunks (batch_id, chunk, first_index, item_count, inputs)
         SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?2)`,
      )
      .bind(batchId, JSON.stringify(rows))
      .run();
  }

  async find(batchId: string, chunk: number): Promise<Chunk | undefined> {
    const row = await this.#db
      .prepare('SELECT first_index, inputs, troubles FROM batch_chunks WHERE batch_id = ?1 AND chunk = ?2')
      .bind(batchId, chunk)
      .first<{ first_index: number; inputs: string; troubles: string }>();
    if (!row) return undefined;
    return {
      batchId,
      chunk,
      firstIndex: row.first_index,
      inputs: JSON.parse(row.inputs),
      troubles: JSON.parse(row.troubles),
    };
  }

  /**
   * Stores the counts of a results object. Counts only grow: an older version of the object cannot lower the counts of a
   * newer one, and the same version counts once.
   */
  async settle(
    batchId: string,
    chunk: number,
    counts: { readonly succeeded: number; readonly failed: number },
    troubles: Troubles,
  ): Promise<void> {
    const { succeeded, failed } = counts;
    await this.#db.batch([
      this.#db
        .prepare(
          `UPDATE batch_chunks SET succeeded = ?3, failed = ?4
           WHERE batch_id = ?1 AND chunk = ?2 AND succeeded + failed < ?3 + ?4`,
        )
        .bind(batchId, chunk, succeeded, failed),
      this.#db
        .prepare(
          'UPDATE batch_chunks SET troubles = ?3 WHERE batch_id = ?1 AND chunk = ?2 AND troubles <> ?3',
        )
        .bind(batchId, chunk, JSON.stringify(troubles)),
    ]);
  }

  async markSent(batchId: string, chunks: readonly number[]): Promise<void> {
    await this.#db
      .prepare(
        `UPDATE batch_chunks SET sent_at = ?3
         WHERE batch_id = ?1 AND chunk IN (SELECT value FROM json_each(?2))`,
      )
      .bind(batchId, JSON.stringify(chunks), this.#now())
      .run();
  }

  /**
   * Chunks of accepted batches whose messages are lost: never sent, or last sent before `sentBefore` to a batch that has
   * made no progress since then.
   */
  async findLost(sentBefore: number, limit: number): Promise<{ batchId: string; chunk: number }[]> {
    const { results } = await this.#db
      .prepare(
        `SELECT c.batch_id AS batchId, c.chunk AS chunk
         FROM batches b JOIN batch_chunks c ON c.batch_id = b.id
         WHERE b.status = 'processing' AND b.progress_at < ?1
           AND c.succeeded + c.failed < c.item_count AND coalesce(c.sent_at, 0) < ?1
         LIMIT ?2`,
      )
      .bind(sentBefore, limit)
      .all<{ batchId: string; chunk: number }>();
    return results;
  }

  /** Items from the start of the batch up to the first one without a result. */
  async countReady(
    batchId: string,
  ): Promise<{ readonly chunks: number; readonly nextChunk: number | undefined }> {
    const row = await this.#db
      .prepare(
        `SELECT min(chunk) AS chunk FROM batch_chunks WHERE batch_id = ?1 AND succeeded + failed < item_count`,
      )
      .bind(batchId)
      .first<{ chunk: number | null }>();
    const next = row?.chunk ?? undefined;
    if (next !== undefined) return { chunks: next, nextChunk: next };
    const count = await this.#db
      .prepare('SELECT count(*) AS chunks FROM batch_chunks WHERE batch_id = ?1')
      .bind(batchId)
      .first<{ chunks: number }>();
    return { chunks: count?.chunks ?? 0, nextChunk: undefined };
  }
}
