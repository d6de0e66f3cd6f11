import type { D1Database } from '@cloudflare/workers-types';
import type { Delivery, DeliveryAttempt, LoggedDelivery } from './delivery.ts';

const columns =
  'id, batch_id AS batchId, type, url, state, attempts, next_attempt_at AS nextAttemptAt, created_at AS createdAt';

/** D1's record of every webhook that is owed; rows are made by trigger, see migrations. */
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

  async isGone(url: string): Promise<boolean> {
    return (
      (await this.#db.prepare('SELECT 1 FROM webhook_endpoints_gone WHERE url = ?1').bind(url).first()) !==
      null
    );
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

  /** Deliveries that are due since before `dueBefore`: their message is lost. */
  async findOwed(dueBefore: number, limit: number): Promise<string[]> {
    const { results } = await this.#db
      .prepare("SELECT id FROM webhook_deliveries WHERE state = 'pending' AND next_attempt_at < ?1 LIMIT ?2")
      .bind(dueBefore, limit)
      .all<{ id: string }>();
    return results.map(({ id }) => id);
  }

  /** A message was sent just now. */
  async touch(ids: readonly string[]): Promise<void> {
    await this.#db
      .prepare(
        'UPDATE webhook_deliveries SET next_attempt_at = ?2 WHERE id IN (SELECT value FROM json_each(?1))',
      )
      .bind(JSON.stringify(ids), this.#now())
      .run();
  }

  /** Records an attempt and what follows from it, in one transaction. */
  async record(
    { id, url, attempts }: Delivery,
    outcome: { readonly status: number | undefined; readonly error: string | undefined },
    next: { readonly state: Delivery['state']; readonly nextAttemptAt: number },
  ): Promise<void> {
    const attempt = attempts + 1;
    await this.#db.batch([
      this.#db
        .prepare(
          'INSERT INTO webhook_attempts (delivery_id, attempt, at, status, error) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING',
        )
        .bind(id, attempt, this.#now(), outcome.status ?? null, outcome.error ?? null),
      this.#db
        .prepare(
          "UPDATE webhook_deliveries SET state = ?2, attempts = ?3, next_attempt_at = ?4 WHERE id = ?1 AND state = 'pending'",
        )
        .bind(id, next.state, attempt, next.nextAttemptAt),
      ...(next.state === 'disabled'
        ? [
            this.#db
              .prepare('INSERT INTO webhook_endpoints_gone (url, at) VALUES (?1, ?2) ON CONFLICT DO NOTHING')
              .bind(url, this.#now()),
          ]
        : []),
    ]);
  }
}
