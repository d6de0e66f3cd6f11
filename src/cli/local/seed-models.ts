import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { catalogKey } from '../../model/model-store.ts';
import type { LocalAsset } from '../assets.ts';
import { mergeCatalog, shippedCatalogKey } from '../merge-catalog.ts';
import { assetsDir } from '../paths.ts';

/** The part of R2 that seeding uses; the proxy's own types are the Worker's. */
export interface SeedBucket {
  get(key: string): Promise<{ text(): Promise<string> } | null>;
  head(key: string): Promise<{ size: number; checksums: { sha256?: ArrayBuffer } } | null>;
  put(key: string, value: Uint8Array, options?: { sha256: string }): Promise<unknown>;
  delete(key: string): Promise<unknown>;
}

async function putCatalog(bucket: SeedBucket): Promise<boolean> {
  const readText = async (key: string) => await (await bucket.get(key))?.text();
  const shipped = await readFile(join(assetsDir, catalogKey), 'utf8');
  const stored = await readText(catalogKey);
  const before = await readText(shippedCatalogKey);
  const merged = mergeCatalog(shipped, stored, before);
  if (merged !== stored) await bucket.put(catalogKey, new TextEncoder().encode(merged));
  if (before !== shipped) await bucket.put(shippedCatalogKey, new TextEncoder().encode(shipped));
  return merged !== stored;
}

/**
 * Copies model-assets into a bucket. Files that are there already, by SHA-256, are left alone; R2 itself refuses
 * bytes whose hash is another.
 *
 * @param assets what `verifyAssets` gives.
 * @returns how many objects were written.
 */
export async function putMissing(
  bucket: SeedBucket,
  assets: ReadonlyMap<string, LocalAsset>,
): Promise<number> {
  let written = 0;
  for (const [key, { path, sha256 }] of assets) {
    if (key === catalogKey) {
      if (await putCatalog(bucket)) written++;
      continue;
    }
    const stored = (await bucket.head(key))?.checksums.sha256;
    if (stored && Buffer.from(stored).toString('hex') === sha256) continue;
    await bucket.put(key, await readFile(path), { sha256 });
    written++;
  }
  return written;
}
