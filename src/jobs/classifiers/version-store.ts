import type { D1Database } from '@cloudflare/workers-types';
import { maxClassifierVersions } from '../../limits.ts';
import type { ClassifierVersion, VersionError, VersionState } from './classifier.ts';

interface VersionRow {
  readonly version: number;
  readonly state: VersionState;
  readonly revision: number | null;
  readonly classes: number | null;
  readonly examples: number | null;
  readonly accuracy: string | null;
  readonly error_code: string | null;
  readonly error_detail: string | null;
  readonly created_at: number;
}

/** D1: versions of classifiers, and which of them is being trained. */
export class VersionStore {
  readonly #db: D1Database;
  readonly #now: () => number;

  constructor(db: D1Database, now: () => number = Date.now) {
    this.#db = db;
    this.#now = now;
  }

  /**
   * Begins a version. If one is being trained already, returns that one; another version follows if the examples have
   * changed since it began.
   *
   * @returns the version, and whether it is a new one; undefined if there is no such classifier.
   */
  async request(classifier: string): Promise<{ version: number; isNew: boolean } | undefined> {
    const [inserted, , , , found] = await this.#db.batch<{ version: number }>([
      this.#db
        .prepare(
          `INSERT INTO classifier_versions (classifier, version, state, created_at)
           SELECT id, last_version + 1, 'training', ?2 FROM classifiers WHERE id = ?1 AND deleted_at IS NULL
           ON CONFLICT DO NOTHING`,
        )
        .bind(classifier, this.#now()),
      this.#db
        .prepare(
          `UPDATE classifiers SET last_version = max(last_version, coalesce(
             (SELECT max(version) FROM classifier_versions WHERE classifier = ?1), 0)) WHERE id = ?1`,
        )
        .bind(classifier),
      this.#db
        .prepare(
          `UPDATE classifier_versions SET again = 1 WHERE classifier = ?1 AND state = 'training'
             AND revision < (SELECT revision FROM classifiers WHERE id = ?1)`,
        )
        .bind(classifier),
      // This is the version that was asked for while an earlier one was trained.
      this.#db
        .prepare("UPDATE classifier_versions SET again = 0 WHERE classifier = ?1 AND state <> 'training'")
        .bind(classifier),
      this.#db
        .prepare(
          `SELECT v.version FROM classifier_versions v JOIN classifiers c ON c.id = v.classifier
         WHERE c.id = ?1 AND c.deleted_at IS NULL AND v.state = 'training'`,
        )
        .bind(classifier),
    ]);
    const [row] = found?.results ?? [];
    return row ? { version: row.version, isNew: (inserted?.meta.changes ?? 0) > 0 } : undefined;
  }

  /** Newest first. */
  async list(classifier: string): Promise<ClassifierVersion[]> {
    const { results } = await this.#db
      .prepare('SELECT * FROM classifier_versions WHERE classifier = ?1 ORDER BY version DESC')
      .bind(classifier)
      .all<VersionRow>();
    return results.map(toVersion);
  }

  async find(classifier: string, version: number): Promise<ClassifierVersion | undefined> {
    const row = await this.#db
      .prepare('SELECT * FROM classifier_versions WHERE classifier = ?1 AND version = ?2')
      .bind(classifier, version)
      .first<VersionRow>();
    return row ? toVersion(row) : undefined;
  }

  /** Stores the revision that the version learns from. If the lesson begins again, the stored revision stays. */
  async begin(classifier: string, version: number): Promise<void> {
    await this.#db
      .prepare(
        `UPDATE classifier_versions
         SET revision = coalesce(revision, (SELECT revision FROM classifiers WHERE id = ?1))
         WHERE classifier = ?1 AND version = ?2 AND state = 'training'`,
      )
      .bind(classifier, version)
      .run();
  }

  /**
   * `training` to `ready`, and the version answers.
   *
   * @returns undefined if the classifier is gone; else whether another version must be trained.
   */
  async finish(
    classifier: string,
    version: number,
    { classes, examples, accuracy }: Pick<ClassifierVersion, 'classes' | 'examples' | 'accuracy'>,
  ): Promise<{ again: boolean } | undefined> {
    const isThere = 'EXISTS (SELECT 1 FROM classifiers WHERE id = ?1 AND deleted_at IS NULL)';
    await this.#db.batch([
      this.#db
        .prepare(
          `UPDATE classifiers SET version = ?2, updated_at = ?3 WHERE id = ?1 AND deleted_at IS NULL AND EXISTS
             (SELECT 1 FROM classifier_versions WHERE classifier = ?1 AND version = ?2 AND state = 'training')`,
        )
        .bind(classifier, version, this.#now()),
      this.#db
        .prepare(
          `UPDATE classifier_versions SET state = 'ready', classes = ?3, examples = ?4, accuracy = ?5
           WHERE classifier = ?1 AND version = ?2 AND state = 'training' AND ${isThere}`,
        )
        .bind(
          classifier,
          version,
          classes ?? null,
          examples ?? null,
          accuracy === undefined ? null : JSON.stringify(accuracy),
        ),
    ]);
    const row = await this.#db
      .prepare(
        `SELECT again FROM classifier_versions WHERE classifier = ?1 AND version = ?2 AND state = 'ready' AND ${isThere}`,
      )
      .bind(classifier, version)
      .first<{ again: number }>();
    return row ? { again: row.again !== 0 } : undefined;
  }

  /** @returns whether another version must be trained: somebody asked, examples have changed, and the classifier exists. */
  async fail(classifier: string, version: number, { code, detail }: VersionError): Promise<boolean> {
    await this.#db
      .prepare(
        `UPDATE classifier_versions SET state = 'failed', error_code = ?3, error_detail = ?4
         WHERE classifier = ?1 AND version = ?2 AND state = 'training'`,
      )
      .bind(classifier, version, code, detail)
      .run();
    const row = await this.#db
      .prepare(
        `SELECT v.again FROM classifier_versions v JOIN classifiers c ON c.id = v.classifier
         WHERE v.classifier = ?1 AND v.version = ?2 AND c.deleted_at IS NULL`,
      )
      .bind(classifier, version)
      .first<{ again: number }>();
    return (row?.again ?? 0) !== 0;
  }

  /** Versions beyond the number that is kept, except the one that answers and one that is being trained. */
  async findSurplus(classifier: string): Promise<number[]> {
    const { results } = await this.#db
      .prepare(
        `SELECT v.version FROM classifier_versions v JOIN classifiers c ON c.id = v.classifier
         WHERE v.classifier = ?1 AND v.state <> 'training' AND v.version IS NOT c.version
         ORDER BY v.version DESC LIMIT -1 OFFSET ?2`,
      )
      .bind(classifier, maxClassifierVersions)
      .all<{ version: number }>();
    return results.map(({ version }) => version);
  }

  /** @returns false if the version answers by now. */
  async deleteSurplus(classifier: string, version: number): Promise<boolean> {
    const { meta } = await this.#db
      .prepare(
        `DELETE FROM classifier_versions WHERE classifier = ?1 AND version = ?2
           AND version IS NOT (SELECT version FROM classifiers WHERE id = ?1)`,
      )
      .bind(classifier, version)
      .run();
    return meta.changes > 0;
  }

  /** Versions in training whose message was sent before `sentBefore`, or never. */
  async findLost(sentBefore: number, limit: number): Promise<{ classifier: string; version: number }[]> {
    const { results } = await this.#db
      .prepare(
        `SELECT classifier, version FROM classifier_versions
         WHERE state = 'training' AND coalesce(sent_at, created_at) < ?1 LIMIT ?2`,
      )
      .bind(sentBefore, limit)
      .all<{ classifier: string; version: number }>();
    return results;
  }

  async markSent(classifier: string, version: number): Promise<void> {
    await this.#db
      .prepare('UPDATE classifier_versions SET sent_at = ?3 WHERE classifier = ?1 AND version = ?2')
      .bind(classifier, version, this.#now())
      .run();
  }
}

function toVersion(row: VersionRow): ClassifierVersion {
  return {
    version: row.version,
    state: row.state,
    revision: row.revision ?? undefined,
    classes: row.classes ?? undefined,
    examples: row.examples ?? undefined,
    accuracy: row.accuracy === null ? undefined : JSON.parse(row.accuracy),
    error:
      row.error_code === null
        ? undefined
        : { code: row.error_code, detail: row.error_detail ?? row.error_code },
    createdAt: row.created_at,
  };
}
