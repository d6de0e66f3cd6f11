import type { D1Database } from '@cloudflare/workers-types';
import type { ItemResult } from '../../classify/classification.ts';

export interface LabelledObject {
  readonly key: string;
  readonly etag: string;
  readonly result: ItemResult;
  /** Milliseconds since 1970. */
  readonly labelledAt: number;
}

interface Row extends Omit<LabelledObject, 'result'> {
  readonly result: string;
}

const columns = 'key, etag, result, labelled_at AS labelledAt';

/** The labels of one bucket's objects in D1; see migrations. */
export class ObjectLabelStore {
  readonly #db: D1Database;
  readonly #bucket: string;

  constructor(db: D1Database, bucket: string) {
    this.#db = db;
    this.#bucket = bucket;
  }

  async find(key: string): Promise<LabelledObject | undefined> {
    const row = await this.#db
      .prepare(
        `SELECT ${columns} FROM object_labels WHERE bucket = ?1 AND key = ?2 ORDER BY labelled_at DESC LIMIT 1`,
      )
      .bind(this.#bucket, key)
      .first<Row>();
    return row ? toLabelledObject(row) : undefined;
  }

  /**
   * Ascending by key. The prefix is a range of the primary key, so that no row is read beyond its end.
   *
   * @param after only keys behind this one.
   */
  async list(prefix: string, after: string, limit: number): Promise<LabelledObject[]> {
    const { results } = await this.#db
      .prepare(
        `SELECT ${columns} FROM object_labels
         WHERE bucket = ?1 AND key > ?2 AND key >= ?3 AND key < ?3 || char(0x10FFFF)
         ORDER BY key LIMIT ?4`,
      )
      .bind(this.#bucket, after, prefix, limit)
      .all<Row>();
    return results.map(toLabelledObject);
  }

  /** Stores the first result of these bytes, and deletes the rows of the key's older contents. */
  async put(key: string, etag: string, result: ItemResult): Promise<void> {
    await this.#db.batch([
      this.#db
        .prepare('INSERT INTO object_labels VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING')
        .bind(this.#bucket, key, etag, JSON.stringify(result), Date.now()),
      this.#forget(key, etag),
    ]);
  }

  /** @param etag of the object that the key has now; undefined if it has none. */
  async forgetOthers(key: string, etag: string | undefined): Promise<void> {
    await this.#forget(key, etag ?? '').run();
  }

  #forget(key: string, etag: string) {
    return this.#db
      .prepare('DELETE FROM object_labels WHERE bucket = ?1 AND key = ?2 AND etag <> ?3')
      .bind(this.#bucket, key, etag);
  }
}

function toLabelledObject(row: Row): LabelledObject {
  return { ...row, result: JSON.parse(row.result) };
}
