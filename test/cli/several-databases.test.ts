import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readDeployment } from '../../src/cli/deploy/deployment.ts';
import { migrateDatabase } from '../../src/cli/deploy/migrate-database.ts';
import { createResources } from '../../src/cli/deploy/resources.ts';
import { migrateDatabases } from '../../src/cli/local/migrate-batches.ts';
import { projectRoot } from '../../src/cli/paths.ts';

let folder: string;
let committed: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'databases-'));
  committed = await readFile(join(projectRoot, 'wrangler.toml'), 'utf8');
});
afterAll(() => rm(folder, { recursive: true }));

/** The committed wrangler.toml with further databases, each a binding and a name. */
async function readWith(...databases: readonly (readonly [binding: string, name: string])[]) {
  const path = join(folder, `${databases.map(([binding]) => binding).join('-')}.toml`);
  const tables = databases.map(
    ([binding, name]) => `[[d1_databases]]\nbinding = "${binding}"\ndatabase_name = "${name}"\n`,
  );
  await writeFile(path, committed.replace('[[r2_buckets]]', `${tables.join('\n')}\n[[r2_buckets]]`));
  return await readDeployment('production', path);
}

describe('deploy:setup, where wrangler.toml has several databases', () => {
  it('makes and migrates each', async () => {
    const deployment = await readWith(
      ['BATCHES_DB_3', 'third'],
      ['BATCHES_DB_2', 'second'],
      ['OTHER', 'other'],
    );
    expect(deployment.databases).toEqual(['resnet-edge-batches', 'second', 'third']);
    const steps = [
      ...createResources(deployment),
      ...deployment.databases.map((name) => migrateDatabase(name, ['--env='])),
    ];
    const calls = steps.flatMap((step) => step.calls).join('\n');
    for (const name of deployment.databases) {
      expect(calls).toContain(`npx wrangler d1 create ${name}\n`);
      expect(calls).toContain(`npx wrangler d1 migrations apply ${name} --remote --env=`);
    }
    expect(calls).not.toContain('other');
  });

  it('calls nothing if a number is missing, or a database is bound twice', async () => {
    await expect(readWith(['BATCHES_DB_3', 'third'])).rejects.toThrow('BATCHES_DB_2 is missing');
    await expect(readWith(['BATCHES_DB_99', 'many'])).rejects.toThrow('BATCHES_DB_99 has no name');
    await expect(readWith(['BATCHES_DB_2', 'resnet-edge-batches'])).rejects.toThrow('one database twice');
  });
});

it('npm start migrates each, and one that is added later', async () => {
  const toOptions = (names: readonly string[]) =>
    convertV4MiniflareOptions({
      modules: true,
      script: 'export default {}',
      cf: false,
      telemetry: { enabled: false },
      resourcePersistencePath: folder,
      d1Databases: Object.fromEntries(names.map((name) => [name, { id: name }])),
    });
  const names = ['BATCHES_DB', 'BATCHES_DB_2'];
  const miniflare = new Miniflare(toOptions(names.slice(0, 1)));
  try {
    const all = await migrateDatabases(miniflare, names.slice(0, 1));
    expect(all).toBeGreaterThan(4);
    await miniflare.setOptions(toOptions(names));
    expect(await migrateDatabases(miniflare, names)).toBe(all);
    expect(await migrateDatabases(miniflare, names)).toBe(0);
    const db = await miniflare.getD1Database('BATCHES_DB_2');
    expect(await db.prepare('SELECT count(*) AS batches FROM batches').first()).toEqual({ batches: 0 });
  } finally {
    await miniflare.dispose();
  }
});
