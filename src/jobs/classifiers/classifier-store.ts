import type { D1Database } from '@cloudflare/workers-types';
import { maxClassifiers } from '../../limits.ts';
import type { TaughtClassifier, Teacher } from './classifier.ts';

interface ClassifierRow {
  readonly id: string;
  readonly owner: string;
  readonly name: string;
  readonly base_name: string;
  readonly base_version: string;
  readonly revision: number;
  readonly version: number | null;
  readonly created_at: number;
  readonly updated_at: number;
}

/** D1, the truth about every classifier. Only the methods that delete find a deleted classifier. */
export class ClassifierStore {
  readonly #db: D1Database;
  readonly #now: () => number;

  constructor(db: D1Database, now: () => number = Date.now) {
    this.#db = db;
    this.#now = now;
  }

  /** @returns false if the payer has `maxClassifiers` already. */
  async create(
    id: string,
    { owner, payer }: Teacher,
    { name, base }: Pick<TaughtClassifier, 'name' | 'base'>,
  ): Promise<boolean> {
    const { meta } = await this.#db
      .prepare(
        `INSERT INTO classifiers (id, owner, payer, name, base_name, base_version, created_at, updated_at)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7
         WHERE (SELECT count(*) FROM classifiers WHERE payer = ?3 AND deleted_at IS NULL) < ?8`,
      )
      .bind(id, owner, payer, name, base.name, base.version, this.#now(), maxClassifiers)
      .run();
    return meta.changes > 0;
  }

  async find(id: string): Promise<TaughtClassifier | undefined> {
    const row = await this.#db
      .prepare('SELECT * FROM classifiers WHERE id = ?1 AND deleted_at IS NULL')
      .bind(id)
      .first<ClassifierRow>();
    return row ? toClassifier(row) : undefined;
  }

  /** The version that answers under this id. */
  async findServedVersion(id: string): Promise<number | undefined> {
    const row = await this.#db
      .prepare('SELECT version FROM classifiers WHERE id = ?1 AND deleted_at IS NULL')
      .bind(id)
      .first<{ version: number | null }>();
    return row?.version ?? undefined;
  }

  /** In order of id. @param after only those whose ids come later. */
  async list(owner: string, limit: number, after: string): Promise<TaughtClassifier[]> {
    const { results } = await this.#db
      .prepare(
        'SELECT * FROM classifiers WHERE owner = ?1 AND deleted_at IS NULL AND id > ?2 ORDER BY id LIMIT ?3',
      )
      .bind(owner, after, limit)
      .all<ClassifierRow>();
    return results.map(toClassifier);
  }

  async rename(id: string, name: string): Promise<void> {
    await this.#db
      .prepare('UPDATE classifiers SET name = ?2, updated_at = ?3 WHERE id = ?1')
      .bind(id, name, this.#now())
      .run();
  }

  /** @returns false if there is no such version that is ready. */
  async serve(id: string, version: number): Promise<boolean> {
    const { meta } = await this.#db
      .prepare(
        `UPDATE classifiers SET version = ?2, updated_at = ?3 WHERE id = ?1 AND deleted_at IS NULL AND EXISTS
           (SELECT 1 FROM classifier_versions WHERE classifier = ?1 AND version = ?2 AND state = 'ready')`,
      )
      .bind(id, version, this.#now())
      .run();
    return meta.changes > 0;
  }

  /** From now on nobody finds the classifier. Delete its objects next, and then its rows with `purge`. */
  async markDeleted(id: string): Promise<void> {
    await this.#db
      .prepare('UPDATE classifiers SET deleted_at = ?2, version = NULL WHERE id = ?1')
      .bind(id, this.#now())
      .run();
  }

  async markAbandoned(anonymousOwner: string, unchangedSince: number, limit: number): Promise<void> {
    await this.#db
      .prepare(
        `UPDATE classifiers SET deleted_at = ?3, version = NULL WHERE id IN
           (SELECT id FROM classifiers WHERE owner = ?1 AND updated_at < ?2 AND deleted_at IS NULL LIMIT ?4)`,
      )
      .bind(anonymousOwner, unchangedSince, this.#now(), limit)
      .run();
  }

  async findDeleted(limit: number): Promise<string[]> {
    const { results } = await this.#db
      .prepare('SELECT id FROM classifiers WHERE deleted_at IS NOT NULL LIMIT ?1')
      .bind(limit)
      .all<{ id: string }>();
    return results.map(({ id }) => id);
  }

  /** Deletes all rows of a deleted classifier. Delete its objects first. */
  async purge(id: string): Promise<void> {
    const tables = ['classifier_examples', 'classifier_classes', 'classifier_imports', 'classifier_versions'];
    await this.#db.batch(
      [
        ...tables.map((table) => `DELETE FROM ${table} WHERE classifier = ?1`),
        'DELETE FROM classifiers WHERE id = ?1',
      ].map((sql) => this.#db.prepare(sql).bind(id)),
    );
  }
}

function toClassifier(row: ClassifierRow): TaughtClassifier {
  return {
    id: row.id,
    owner: row.owner,
    name: row.name,
    base: { name: row.base_name, version: row.base_version },
    revision: row.revision,
    version: row.version ?? undefined,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
