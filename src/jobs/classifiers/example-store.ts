import type { D1Database } from '@cloudflare/workers-types';
import { maxCallerExamples, maxClassifierClasses, maxClassifierExamples } from '../../limits.ts';
import type { ClassCount, ClassifierExample } from './classifier.ts';

interface ExampleRow {
  readonly id: string;
  readonly class: string;
  readonly name: string;
  readonly created_at: number;
}

/** The outcome of adding an example: `full` if a quota is used up, `gone` if there is no such classifier. */
export type AddOutcome = 'added' | 'moved' | 'duplicate' | 'full' | 'gone';

/** D1: classes of classifiers and the photos in them. */
export class ExampleStore {
  readonly #db: D1Database;
  readonly #now: () => number;

  constructor(db: D1Database, now: () => number = Date.now) {
    this.#db = db;
    this.#now = now;
  }

  /** Adds classes that are not there, at the end. @returns false if there would be more than `maxClassifierClasses`. */
  async addClasses(classifier: string, names: readonly string[]): Promise<boolean> {
    const add = `INSERT INTO classifier_classes (classifier, name, position)
      SELECT ?1, ?2, coalesce((SELECT max(position) + 1 FROM classifier_classes WHERE classifier = ?1), 0)
      WHERE (SELECT count(*) FROM classifier_classes WHERE classifier = ?1) < ?3
        AND EXISTS (SELECT 1 FROM classifiers WHERE id = ?1 AND deleted_at IS NULL) ON CONFLICT DO NOTHING`;
    if (names.length > 0) {
      await this.#db.batch(
        names.map((name) => this.#db.prepare(add).bind(classifier, name, maxClassifierClasses)),
      );
    }
    const known = new Set((await this.countByClass(classifier)).map(({ name }) => name));
    return names.every((name) => known.has(name));
  }

  /** Removes a class with its examples. @returns their ids, so that their features can be deleted. */
  async removeClass(classifier: string, name: string): Promise<{ wasThere: boolean; examples: string[] }> {
    const [removed, gone] = await this.#db.batch([
      this.#db
        .prepare('DELETE FROM classifier_examples WHERE classifier = ?1 AND class = ?2 RETURNING id')
        .bind(classifier, name),
      this.#db
        .prepare('DELETE FROM classifier_classes WHERE classifier = ?1 AND name = ?2')
        .bind(classifier, name),
      this.#db
        .prepare('DELETE FROM classifier_imports WHERE classifier = ?1 AND class = ?2')
        .bind(classifier, name),
    ]);
    const rows = (removed?.results ?? []) as readonly { id: string }[];
    return { wasThere: (gone?.meta.changes ?? 0) > 0, examples: rows.map(({ id }) => id) };
  }

  /** In the order in which classes came. */
  async countByClass(classifier: string): Promise<ClassCount[]> {
    const { results } = await this.#db
      .prepare(
        `SELECT c.name, (SELECT count(*) FROM classifier_examples e WHERE e.classifier = ?1 AND e.class = c.name)
           AS examples FROM classifier_classes c WHERE c.classifier = ?1 ORDER BY c.position`,
      )
      .bind(classifier)
      .all<ClassCount>();
    return results;
  }

  /** The class of an example; undefined if there is none. An example that is there has its features stored. */
  async findClass(classifier: string, id: string): Promise<string | undefined> {
    const row = await this.#db
      .prepare('SELECT class FROM classifier_examples WHERE classifier = ?1 AND id = ?2')
      .bind(classifier, id)
      .first<{ class: string }>();
    return row?.class;
  }

  /** Adds an example, whose features must be stored already. A photo of another class moves. */
  async add(
    classifier: string,
    { id, class: label, name }: Omit<ClassifierExample, 'createdAt'>,
  ): Promise<AddOutcome> {
    const before = await this.findClass(classifier, id);
    if (before === label) return 'duplicate';
    const { meta } = await this.#db
      .prepare(
        `INSERT INTO classifier_examples (classifier, id, class, name, created_at)
         SELECT c.id, ?2, ?3, ?4, ?5 FROM classifiers c WHERE c.id = ?1 AND c.deleted_at IS NULL
           AND EXISTS (SELECT 1 FROM classifier_classes WHERE classifier = ?1 AND name = ?3)
           AND (EXISTS (SELECT 1 FROM classifier_examples WHERE classifier = ?1 AND id = ?2)
             OR ((SELECT count(*) FROM classifier_examples WHERE classifier = ?1) < ?6
               AND (SELECT count(*) FROM classifier_examples e JOIN classifiers o ON o.id = e.classifier
                 WHERE o.payer = c.payer) < ?7))
         ON CONFLICT (classifier, id) DO UPDATE SET class = excluded.class, name = excluded.name`,
      )
      .bind(classifier, id, label, name, this.#now(), maxClassifierExamples, maxCallerExamples)
      .run();
    if (meta.changes > 0) return before === undefined ? 'added' : 'moved';
    const isThere = await this.#db
      .prepare(
        `SELECT 1 FROM classifiers c JOIN classifier_classes k ON k.classifier = c.id AND k.name = ?2
         WHERE c.id = ?1 AND c.deleted_at IS NULL`,
      )
      .bind(classifier, label)
      .first();
    return isThere ? 'full' : 'gone';
  }

  /** @returns whether it was there. */
  async remove(classifier: string, id: string): Promise<boolean> {
    const { meta } = await this.#db
      .prepare('DELETE FROM classifier_examples WHERE classifier = ?1 AND id = ?2')
      .bind(classifier, id)
      .run();
    return meta.changes > 0;
  }

  /** In order of id. @param label only of this class; @param after only those whose ids come later. */
  async list(classifier: string, limit: number, after = '', label?: string): Promise<ClassifierExample[]> {
    const { results } = await this.#db
      .prepare(
        `SELECT id, class, name, created_at FROM classifier_examples
         WHERE classifier = ?1 AND id > ?2 AND (?3 IS NULL OR class = ?3) ORDER BY id LIMIT ?4`,
      )
      .bind(classifier, after, label ?? null, limit)
      .all<ExampleRow>();
    return results.map(({ created_at: createdAt, ...row }) => ({ ...row, createdAt }));
  }
}
