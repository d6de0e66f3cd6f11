import type { D1Database } from '@cloudflare/workers-types';
import type { Tier } from '../../protocol/tier/tier.ts';
import type { Batch, BatchStatus, BatchTask, ListPlace } from './batch.ts';

interface BatchRow {
  readonly id: string;
  readonly owner: string;
  readonly fingerprint: string | null;
  readonly status: BatchStatus;
  readonly task: BatchTask;
  readonly tier: Tier;
  readonly model: string;
  readonly model_version: string;
  readonly top_k: number;
  readonly webhook_url: string | null;
  readonly metadata: string;
  readonly total: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly last_trouble: string | null;
  readonly created_at: number;
  readonly started_at: number | null;
  readonly finished_at: number | null;
  readonly expires_at: number;
}

export interface NewBatch {
  readonly id: string;
  readonly owner: string;
  readonly idempotencyKey: string | undefined;
  readonly tier: Tier;
  readonly model: string;
  readonly modelVersion: string;
  readonly topK: number;
  readonly expiresAt: number;
}

export interface ActivatedBatch {
  readonly total: number;
  readonly fingerprint: string;
  readonly webhookUrl: string | undefined;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly task: BatchTask;
  readonly model: string;
  readonly modelVersion: string;
  readonly topK: number;
  readonly tier: Tier;
}

/** D1, the truth about every batch. Transitions are single statements; see migrations for what they trigger. */
export class BatchStore {
  readonly #db: D1Database;
  readonly #now: () => number;

  constructor(db: D1Database, now: () => number = Date.now) {
    this.#db = db;
    this.#now = now;
  }

  /** @returns false if the owner has used the idempotency key already. */
  async create(batch: NewBatch): Promise<boolean> {
    const { meta } = await this.#db
      .prepare(
        `INSERT INTO batches (id, owner, idempotency_key, status, tier, model, model_version, top_k, metadata,
           created_at, progress_at, expires_at)
         VALUES (?1, ?2, ?3, 'starting', ?4, ?5, ?6, ?7, '{}', ?8, ?8, ?9) ON CONFLICT DO NOTHING`,
      )
      .bind(
        batch.id,
        batch.owner,
        batch.idempotencyKey ?? null,
        batch.tier,
        batch.model,
        batch.modelVersion,
        batch.topK,
        this.#now(),
        batch.expiresAt,
      )
      .run();
    return meta.changes > 0;
  }

  async findByIdempotencyKey(
    owner: string,
    key: string,
  ): Promise<{ batch: Batch; fingerprint: string | undefined } | undefined> {
    const row = await this.#db
      .prepare('SELECT * FROM batches WHERE owner = ?1 AND idempotency_key = ?2')
      .bind(owner, key)
      .first<BatchRow>();
    return row ? { batch: toBatch(row), fingerprint: row.fingerprint ?? undefined } : undefined;
  }

  /**
   * Deletes a batch whose request died while it was being read, so that its Idempotency-Key is free again.
   *
   * @param begunBefore milliseconds since 1970.
   * @returns its id, whose objects are to be deleted; undefined if there is none.
   */
  async takeOver(owner: string, idempotencyKey: string, begunBefore: number): Promise<string | undefined> {
    const row = await this.#db
      .prepare(
        `SELECT id FROM batches WHERE owner = ?1 AND idempotency_key = ?2 AND status = 'starting' AND created_at < ?3`,
      )
      .bind(owner, idempotencyKey, begunBefore)
      .first<{ id: string }>();
    if (!row) return undefined;
    // If the first request still lives, it finds no row to activate.
    const { meta } = await this.#db
      .prepare("DELETE FROM batches WHERE id = ?1 AND status = 'starting'")
      .bind(row.id)
      .run();
    if (meta.changes === 0) return undefined;
    await this.delete(row.id);
    return row.id;
  }

  /** Moves a batch from `starting` to `processing`: it is accepted now and must come to an end. */
  async activate(id: string, batch: ActivatedBatch): Promise<void> {
    await this.#db
      .prepare(
        `UPDATE batches SET status = 'processing', total = ?2, fingerprint = ?3, webhook_url = ?4, metadata = ?5,
           model = ?6, model_version = ?7, top_k = ?8, tier = ?9, started_at = ?10, progress_at = ?10, task = ?11
         WHERE id = ?1 AND status = 'starting'`,
      )
      .bind(
        id,
        batch.total,
        batch.fingerprint,
        batch.webhookUrl ?? null,
        JSON.stringify(batch.metadata),
        batch.model,
        batch.modelVersion,
        batch.topK,
        batch.tier,
        this.#now(),
        batch.task,
      )
      .run();
  }

  async find(id: string): Promise<Batch | undefined> {
    const row = await this.#db.prepare('SELECT * FROM batches WHERE id = ?1').bind(id).first<BatchRow>();
    return row ? toBatch(row) : undefined;
  }

  /** Items of accepted batches of this owner that have no result yet. */
  async countPending(owner: string): Promise<number> {
    const row = await this.#db
      .prepare(
        `SELECT coalesce(sum(total - succeeded - failed), 0) AS pending FROM batches
         WHERE owner = ?1 AND status IN ('starting', 'processing')`,
      )
      .bind(owner)
      .first<{ pending: number }>();
    return row?.pending ?? 0;
  }

  /** Newest first. @param before only batches that come after this place in the list. */
  async list(owner: string, limit: number, { createdAt, id }: ListPlace): Promise<Batch[]> {
    const { results } = await this.#db
      .prepare(
        `SELECT * FROM batches WHERE owner = ?1 AND created_at <= ?2 AND (created_at < ?2 OR id < ?3)
         ORDER BY created_at DESC, id DESC LIMIT ?4`,
      )
      .bind(owner, createdAt, id, limit)
      .all<BatchRow>();
    return results.map(toBatch);
  }

  /** @returns false if it had ended already. */
  async cancel(id: string): Promise<boolean> {
    const { meta } = await this.#db
      .prepare(
        `UPDATE batches SET status = 'canceled', finished_at = ?2
         WHERE id = ?1 AND status IN ('starting', 'processing')`,
      )
      .bind(id, this.#now())
      .run();
    return meta.changes > 0;
  }

  /** Stores why a batch is delayed. The next progress clears it. */
  async noteTrouble(batchId: string, code: string): Promise<void> {
    await this.#db
      .prepare("UPDATE batches SET last_trouble = ?2 WHERE id = ?1 AND status = 'processing'")
      .bind(batchId, code)
      .run();
  }

  /** Batches that may be deleted: past their expiry, or begun by a request that never ended. */
  async findExpired(abandonedBefore: number, limit: number): Promise<string[]> {
    const { results } = await this.#db
      .prepare(
        `SELECT id FROM batches WHERE expires_at < ?1
         UNION SELECT id FROM batches WHERE status = 'starting' AND progress_at < ?2 LIMIT ?3`,
      )
      .bind(this.#now(), abandonedBefore, limit)
      .all<{ id: string }>();
    return results.map(({ id }) => id);
  }

  /** Deletes a batch and all its rows. Delete its objects in R2 first. */
  async delete(id: string): Promise<void> {
    await this.#db.batch(
      [
        'DELETE FROM webhook_attempts WHERE delivery_id IN (SELECT id FROM webhook_deliveries WHERE batch_id = ?1)',
        'DELETE FROM webhook_deliveries WHERE batch_id = ?1',
        'DELETE FROM batch_chunks WHERE batch_id = ?1',
        'DELETE FROM batches WHERE id = ?1',
      ].map((sql) => this.#db.prepare(sql).bind(id)),
    );
  }
}

function toBatch(row: BatchRow): Batch {
  return {
    id: row.id,
    owner: row.owner,
    status: row.status,
    task: row.task,
    tier: row.tier,
    model: row.model,
    modelVersion: row.model_version,
    topK: row.top_k,
    webhookUrl: row.webhook_url ?? undefined,
    metadata: JSON.parse(row.metadata),
    total: row.total,
    succeeded: row.succeeded,
    failed: row.failed,
    lastTrouble: row.last_trouble ?? undefined,
    createdAt: row.created_at,
    startedAt: row.started_at ?? undefined,
    finishedAt: row.finished_at ?? undefined,
    expiresAt: row.expires_at,
  };
}
