import { createHash } from 'node:crypto';
import { access, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Miniflare } from 'miniflare';
import { type LocalAsset, verifyAssets } from '../assets.ts';
import { migrationsDir, stateDir } from '../paths.ts';
import { migrateDatabases } from './migrate-batches.ts';
import { putMissing, type SeedBucket } from './seed-models.ts';
import type { Steps } from './steps.ts';
import type { WorkerOptions } from './worker-options.ts';

/** Where miniflare keeps R2, D1 and the rest. */
export const persistenceDir = join(stateDir, 'v3');
const stampPath = join(persistenceDir, 'prepared.sha256');

/**
 * Brings models into the local bucket and migrations into the local databases. Does nothing when the storage was
 * prepared from the same models and migrations before.
 *
 * @throws {Error} if a file of model-assets is not what its manifest says.
 */
export async function prepareStorage(
  miniflare: Miniflare,
  options: WorkerOptions,
  steps: Steps,
): Promise<void> {
  const assets = await verifyAssets();
  const fingerprint = await fingerprintStorage(assets, options);
  if ((await readFile(stampPath, 'utf8').catch(() => '')) === fingerprint && (await hasStorage())) return;
  await steps.run(
    'Seed the local bucket with the models',
    // miniflare's types are those of workers-types; seeding needs a part of them.
    async () => await putMissing((await miniflare.getR2Bucket('MODELS')) as unknown as SeedBucket, assets),
    (written) => `${written} of ${assets.size} files were new`,
  );
  await steps.run(
    'Bring the local databases up to date',
    async () => await migrateDatabases(miniflare, Object.keys(options.d1Databases)),
    (applied) => `${applied} migrations`,
  );
  await writeFile(stampPath, fingerprint);
}

async function fingerprintStorage(
  assets: ReadonlyMap<string, LocalAsset>,
  { r2Buckets, d1Databases }: WorkerOptions,
): Promise<string> {
  const hashes = Array.from(assets, ([key, { sha256 }]) => [key, sha256]);
  const hash = createHash('sha256').update(JSON.stringify([hashes, r2Buckets, d1Databases]));
  for (const name of (await readdir(migrationsDir)).sort()) {
    hash.update(name).update(await readFile(join(migrationsDir, name)));
  }
  return hash.digest('hex');
}

/** Someone may have deleted a part of it. */
async function hasStorage(): Promise<boolean> {
  const folders = await Promise.allSettled(
    ['r2', 'd1'].map((folder) => access(join(persistenceDir, folder))),
  );
  return folders.every(({ status }) => status === 'fulfilled');
}
