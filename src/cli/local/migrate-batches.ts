import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Miniflare } from 'miniflare';
import { orderDatabaseBindings } from '../../jobs/batch/database-bindings.ts';
import { migrationsDir } from '../paths.ts';

/** The part of D1 that migrating uses; the proxy's own types are the Worker's. */
export interface MigratedDatabase {
  prepare(sql: string): Statement;
  /** All of them or none. */
  batch(statements: Statement[]): Promise<unknown>;
}

interface Statement {
  bind(...values: unknown[]): Statement;
  run(): Promise<unknown>;
  all(): Promise<{ results: unknown[] }>;
}

/**
 * Brings every database of batches up to date.
 *
 * @param bindings names of all databases that are bound.
 * @returns how many migrations were applied, of all databases together.
 * @throws {CodedError} `configuration_invalid`, see `orderDatabaseBindings`.
 */
export async function migrateDatabases(miniflare: Miniflare, bindings: readonly string[]): Promise<number> {
  let applied = 0;
  for (const name of orderDatabaseBindings(bindings)) {
    // miniflare's types are those of workers-types; migrating needs a part of them.
    applied += await applyMigrations((await miniflare.getD1Database(name)) as unknown as MigratedDatabase);
  }
  return applied;
}

/**
 * Applies what is missing, in order, and notes it in the table that wrangler uses.
 *
 * @returns how many were applied.
 */
export async function applyMigrations(db: MigratedDatabase): Promise<number> {
  await db
    .prepare(
      `CREATE TABLE IF NOT EXISTS d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE,
       applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)`,
    )
    .run();
  const { results } = await db.prepare('SELECT name FROM d1_migrations').all();
  const applied = new Set((results as { name: string }[]).map(({ name }) => name));
  const missing = (await readdir(migrationsDir))
    .filter((name) => name.endsWith('.sql') && !applied.has(name))
    .sort();
  if (missing.length === 0) return 0;
  // wrangler takes more than a second to import.
  const { unstable_splitSqlQuery } = await import('wrangler');
  for (const name of missing) {
    const sql = await readFile(join(migrationsDir, name), 'utf8');
    // One transaction: a process that is ended in between must not leave a migration half applied.
    await db.batch([
      ...unstable_splitSqlQuery(sql).map((statement) => db.prepare(statement)),
      db.prepare('INSERT INTO d1_migrations (name) VALUES (?1)').bind(name),
    ]);
  }
  return missing.length;
}
