import type { D1Database } from '@cloudflare/workers-types';
import { endpointGoneMs } from '../../limits.ts';
import type { Delivery, DeliveryAttempt, LoggedDelivery } from './delivery.ts';

const columns =
  'id, batch_id AS batchId, type, url, state, attempts, next_attempt_at AS nextAttemptAt, created_at AS createdAt';

/** The webhooks to deliver, in D1. A trigger makes the rows, see migrations. */
export class DeliveryStore {
  readonly #db: D1Database;
  readonly #now: () => number;

  constructor(db: D1Database, now: () => number = Date.now) {
    this.#db = db;
    this.#now = now;
  }

  async find(id: string): Promise<Delivery | undefined> {
    const row = await this.#db
      .prepare(`SELECT ${columns} FROM webhook_deliveries WHERE id = ?1`)
      .bind(id)
      .first<Delivery>();
    return row ?? undefined;
  }

  /** Whether the delivery's address has recently answered 410 to the same owner. */
  async isGone({ batchId, url }: Delivery): Promise<boolean> {
    const row = await this.#db
      .prepare(
        `SELECT 1 FROM webhook_endpoints_gone g JOIN batches b ON b.owner = g.owner
         WHERE b.id = ?1 AND g.url = ?2 AND g.at > ?3`,
      )
      .bind(batchId, url, this.#now() - endpointGoneMs)
      .first();
    return row !== null;
  }

  /** Addresses that are given up for this owner, and since when. */
  async listGone(owner: string): Promise<{ readonly url: string; readonly at: number }[]> {
    const { results } = await this.#db
      .prepare(
        'SELECT url, at FROM webhook_endpoints_gone WHERE owner = ?1 AND at > ?2 ORDER BY url LIMIT 1000',
      )
      .bind(owner, this.#now() - endpointGoneMs)
      .all<{ url: string; at: number }>();
    return results;
  }

  /** @returns whether the address was given up. */
  async restore(owner: string, url: string): Promise<boolean> {
    const { meta } = await this.#db
      .prepare('DELETE FROM webhook_endpoints_gone WHERE owner = ?1 AND url = ?2')
      .bind(owner, url)
      .run();
    return meta.changes > 0;
  }

  /**
   * Claims the next attempt, so that only one of several messages posts it. This also logs the attempt.
   *
   * @param until time from which another message may try, in case this consumer dies.
   * @returns false if another message has claimed it.
   */
  async claim({ id, attempts }: Delivery, until: number): Promise<boolean> {
    const [claimed] = await this.#db.batch([
      this.#db
        .prepare(
          `UPDATE webhook_deliveries SET attempts = ?2 + 1, next_attempt_at = ?3
           WHERE id = ?1 AND state = 'pending' AND attempts = ?2`,
        )
        .bind(id, attempts, until),
      this.#db
        .prepare(
          `INSERT INTO webhook_attempts (delivery_id, attempt, at, status, error)
           VALUES (?1, ?2, ?3, NULL, 'cut short') ON CONFLICT DO NOTHING`,
        )
        .bind(id, attempts + 1, this.#now()),
    ]);
    return (claimed?.meta.changes ?? 0) > 0;
  }

  /** Deliveries of a batch with every attempt made. */
  async log(batchId: string): Promise<LoggedDelivery[]> {
    const { results: deliveries } = await this.#db
      .prepare(`SELECT ${columns} FROM webhook_deliveries WHERE batch_id = ?1 ORDER BY created_at`)
      .bind(batchId)
      .all<Delivery>();
    return await Promise.all(
      deliveries.map(async (delivery) => {
        const { results } = await this.#db
          .prepare(
            'SELECT attempt, at, status, error FROM webhook_attempts WHERE delivery_id = ?1 ORDER BY attempt',
          )
          .bind(delivery.id)
          .all<DeliveryAttempt>();
        return { ...delivery, log: results };
      }),
    );
  }

  /** Deliveries of a batch that nobody has tried yet. */
  async findNew(batchId: string): Promise<string[]> {
    const { results } = await this.#db
      .prepare("SELECT id FROM webhook_deliveries WHERE batch_id = ?1 AND state = 'pending' AND attempts = 0")
      .bind(batchId)
      .all<{ id: string }>();
    return results.map(({ id }) => id);
  }

  /** Deliveries that were due before `dueBefore`: their message is lost. */
  async findOwed(dueBefore: number, limit: number): Promise<string[]> {
    const { results } = await this.#db
      .prepare("SELECT id FROM webhook_deliveries WHERE state = 'pending' AND next_attempt_at < ?1 LIMIT ?2")
      .bind(dueBefore, limit)
      .all<{ id: string }>();
    return results.map(({ id }) => id);
  }

  /** Records that messages were sent now. */
  async touch(ids: readonly string[]): Promise<void> {
    await this.#db
      .prepare(
        'UPDATE webhook_deliveries SET next_attempt_at = ?2 WHERE id IN (SELECT value FROM json_each(?1))',
      )
      .bind(JSON.stringify(ids), this.#now())
      .run();
  }

  /** Records the outcome of a claimed attempt, and the delivery's next state, in one transaction. */
  async record(
    { id, batchId, url, attempts }: Delivery,
    outcome: { readonly status: number | undefined; readonly error: string | undefined },
    next: { readonly state: Delivery['state']; readonly nextAttemptAt: number },
  ): Promise<void> {
    const attempt = attempts + 1;
    await this.#db.batch([
      this.#db
        .prepare(
          'UPDATE webhook_attempts SET status = ?3, error = ?4 WHERE delivery_id = ?1 AND attempt = ?2',
        )
        .bind(id, attempt, outcome.status ?? null, outcome.error ?? null),
      this.#db
        .prepare(
          `UPDATE webhook_deliveries SET state = ?2, next_attempt_at = ?4
           WHERE id = ?1 AND state = 'pending' AND attempts = ?3`,
        )
        .bind(id, next.state, attempt, next.nextAttemptAt),
      ...(outcome.status === 410
        ? [
            this.#db
              .prepare(
                `INSERT INTO webhook_endpoints_gone (owner, url, at)
                 SELECT owner, ?2, ?3 FROM batches WHERE id = ?1
                 ON CONFLICT (owner, url) DO UPDATE SET at = excluded.at`,
              )
              .bind(batchId, url, this.#now()),
          ]
        : []),
    ]);
  }
}
