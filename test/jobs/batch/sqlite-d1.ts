import { readdirSync, readFileSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import type { D1Database } from '@cloudflare/workers-types';

const migrations = new URL('../../../src/jobs/migrations/', import.meta.url);

/**
 * The part of D1 that the stores use, on the SQLite that is part of Node: the real migrations, statements and
 * triggers, in memory. D1 itself is behind the tests in test/edge.
 */
export function openD1(): D1Database {
  const sqlite = new DatabaseSync(':memory:');
  for (const name of readdirSync(migrations).sort())
    sqlite.exec(readFileSync(new URL(name, migrations), 'utf8'));
  const prepare = (sql: string, values: readonly SQLInputValue[] = []) => {
    const statement = sqlite.prepare(sql);
    const parameters = Object.fromEntries(values.map((value, index) => [`?${index + 1}`, value]));
    return {
      bind: (...bound: SQLInputValue[]) => prepare(sql, bound),
      first: async () => statement.get(parameters) ?? null,
      all: async () => ({ results: statement.all(parameters) }),
      run: async () => ({ meta: { changes: Number(statement.run(parameters).changes) } }),
      runNow() {
        if (/\bRETURNING\b|^\s*SELECT\b/.test(sql)) {
          const results = statement.all(parameters);
          return { results, meta: { changes: results.length } };
        }
        return { results: [], meta: { changes: Number(statement.run(parameters).changes) } };
      },
    };
  };
  const database = {
    prepare,
    async batch(statements: readonly ReturnType<typeof prepare>[]) {
      sqlite.exec('BEGIN');
      try {
        // Without a break: a transaction of SQLite is the connection's, not the caller's.
        const done = statements.map((statement) => statement.runNow());
        sqlite.exec('COMMIT');
        return done;
      } catch (error) {
        sqlite.exec('ROLLBACK');
        throw error;
      }
    },
  };
  return database as unknown as D1Database;
}
