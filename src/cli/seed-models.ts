import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { getPlatformProxy } from 'wrangler';
import { verifyAssets } from './assets.ts';
import { assetsDir, projectRoot, stateDir } from './paths.ts';

/** The part of R2 that seeding uses; the proxy's own types are the Worker's. */
export interface SeedBucket {
  head(key: string): Promise<{ size: number; checksums: { sha256?: ArrayBuffer } } | null>;
  put(key: string, value: Uint8Array, options?: { sha256: string }): Promise<unknown>;
  delete(key: string): Promise<unknown>;
}

/**
 * Copies model-assets into the local R2 bucket that wrangler's runtime reads. Files that are there
 * already, by SHA-256, are left alone; R2 itself refuses bytes whose hash is another.
 *
 * @returns how many objects were written.
 */
export async function seedLocalModels(): Promise<number> {
  const hashes = await verifyAssets();
  const proxy = await getPlatformProxy<{ MODELS: SeedBucket }>({
    configPath: join(projectRoot, 'wrangler.toml'),
    persist: { path: join(stateDir, 'v3') },
  });
  try {
    return await putMissing(proxy.env.MODELS, hashes);
  } finally {
    await proxy.dispose();
  }
}

/** Puts every object of model-assets that the bucket does not hold with the same SHA-256. */
export async function putMissing(bucket: SeedBucket, hashes: ReadonlyMap<string, string>): Promise<number> {
  let written = 0;
  for (const [key, sha256] of hashes) {
    const stored = (await bucket.head(key))?.checksums.sha256;
    if (stored && Buffer.from(stored).toString('hex') === sha256) continue;
    await bucket.put(key, await readFile(join(assetsDir, key)), { sha256 });
    written++;
  }
  return written;
}
