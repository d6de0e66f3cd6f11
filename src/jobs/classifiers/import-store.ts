import type { D1Database } from '@cloudflare/workers-types';
import { maxClassifierExamples } from '../../limits.ts';
import {
  type ClassifierImport,
  type ImportReference,
  importReferenceSchema,
  type VersionError,
} from './classifier.ts';

interface ImportRow {
  readonly id: string;
  readonly classifier: string;
  readonly class: string;
  readonly reference: string;
  readonly attempts: number;
  readonly error_code: string | null;
  readonly error_detail: string | null;
}

/** D1: photos that are still to be fetched, and photos that could not be fetched. */
export class ImportStore {
  readonly #db: D1Database;
  readonly #now: () => number;

  constructor(db: D1Database, now: () => number = Date.now) {
    this.#db = db;
    this.#now = now;
  }

  /**
   * @returns the ids of the imports, in order; undefined if there is no such classifier, or it would have too many photos.
   */
  async add(
    classifier: string,
    label: string,
    references: readonly ImportReference[],
  ): Promise<string[] | undefined> {
    const rows = references.map((reference) => ({
      id: crypto.randomUUID(),
      reference: JSON.stringify(reference),
    }));
    const { meta } = await this.#db
      .prepare(
        `INSERT INTO classifier_imports (id, classifier, class, reference, created_at)
         SELECT json_extract(value, '$.id'), ?1, ?2, json_extract(value, '$.reference'), ?4 FROM json_each(?3)
         WHERE EXISTS (SELECT 1 FROM classifiers WHERE id = ?1 AND deleted_at IS NULL)
           AND (SELECT count(*) FROM classifier_imports WHERE classifier = ?1 AND error_code IS NULL)
             + (SELECT count(*) FROM classifier_examples WHERE classifier = ?1) + ?5 <= ?6`,
      )
      .bind(classifier, label, JSON.stringify(rows), this.#now(), rows.length, maxClassifierExamples)
      .run();
    return meta.changes > 0 ? rows.map(({ id }) => id) : undefined;
  }

  async count(classifier: string): Promise<{ waiting: number; failed: number }> {
    const row = await this.#db
      .prepare(
        `SELECT count(*) - count(error_code) AS waiting, count(error_code) AS failed FROM classifier_imports
         WHERE classifier = ?1`,
      )
      .bind(classifier)
      .first<{ waiting: number; failed: number }>();
    return row ?? { waiting: 0, failed: 0 };
  }

  /** In order of id. @param after only those whose ids come later. */
  async list(classifier: string, limit: number, after = ''): Promise<ClassifierImport[]> {
    const { results } = await this.#db
      .prepare('SELECT * FROM classifier_imports WHERE classifier = ?1 AND id > ?2 ORDER BY id LIMIT ?3')
      .bind(classifier, after, limit)
      .all<ImportRow>();
    return results.map(toImport);
  }

  /** Those of the given imports that are still to be fetched. */
  async findWaiting(ids: readonly string[]): Promise<ClassifierImport[]> {
    const { results } = await this.#db
      .prepare(
        `SELECT * FROM classifier_imports WHERE error_code IS NULL AND id IN (SELECT value FROM json_each(?1))`,
      )
      .bind(JSON.stringify(ids))
      .all<ImportRow>();
    return results.map(toImport);
  }

  /**
   * Claims the next imports that no message has named yet, so that only one message names them.
   *
   * @returns their ids; none if all have been named.
   */
  async claimUnsent(classifier: string, limit: number): Promise<string[]> {
    const { results } = await this.#db
      .prepare(
        `UPDATE classifier_imports SET sent_at = ?2 WHERE id IN
           (SELECT id FROM classifier_imports
            WHERE classifier = ?1 AND sent_at IS NULL AND error_code IS NULL ORDER BY created_at, id LIMIT ?3)
         RETURNING id`,
      )
      .bind(classifier, this.#now(), limit)
      .all<{ id: string }>();
    return results.map(({ id }) => id);
  }

  async noteAttempt(id: string): Promise<void> {
    await this.#db
      .prepare('UPDATE classifier_imports SET attempts = attempts + 1 WHERE id = ?1')
      .bind(id)
      .run();
  }

  async fail(id: string, { code, detail }: VersionError): Promise<void> {
    await this.#db
      .prepare('UPDATE classifier_imports SET error_code = ?2, error_detail = ?3 WHERE id = ?1')
      .bind(id, code, detail)
      .run();
  }

  /** Deletes the imports that could not be fetched. */
  async deleteFailed(classifier: string): Promise<void> {
    await this.#db
      .prepare('DELETE FROM classifier_imports WHERE classifier = ?1 AND error_code IS NOT NULL')
      .bind(classifier)
      .run();
  }

  /** Deletes an import after its example was stored. */
  async delete(id: string): Promise<void> {
    await this.#db.prepare('DELETE FROM classifier_imports WHERE id = ?1').bind(id).run();
  }

  /** Classifiers with imports and without a message since `sentBefore`: their sequence of messages has broken off. */
  async findStalled(sentBefore: number, limit: number): Promise<string[]> {
    const { results } = await this.#db
      .prepare(
        `SELECT classifier FROM classifier_imports WHERE error_code IS NULL
         GROUP BY classifier HAVING max(coalesce(sent_at, created_at)) < ?1 LIMIT ?2`,
      )
      .bind(sentBefore, limit)
      .all<{ classifier: string }>();
    return results.map(({ classifier }) => classifier);
  }

  /** Forgets which imports of this classifier messages have named. */
  async forgetSent(classifier: string): Promise<void> {
    await this.#db
      .prepare('UPDATE classifier_imports SET sent_at = NULL WHERE classifier = ?1')
      .bind(classifier)
      .run();
  }
}

function toImport({
  reference,
  error_code: code,
  error_detail: detail,
  ...row
}: ImportRow): ClassifierImport {
  return {
    id: row.id,
    classifier: row.classifier,
    class: row.class,
    attempts: row.attempts,
    reference: importReferenceSchema.parse(JSON.parse(reference)),
    error: code === null ? undefined : { code, detail: detail ?? code },
  };
}
