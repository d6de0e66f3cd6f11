import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { catalogKey } from '../../model/model-store.ts';
import type { LocalAsset } from '../assets.ts';
import { assetsDir } from '../paths.ts';

/** The part of R2 that seeding uses; the proxy's own types are the Worker's. */
export interface SeedBucket {
  get(key: string): Promise<{ text(): Promise<string> } | null>;
  head(key: string): Promise<{ size: number; checksums: { sha256?: ArrayBuffer } } | null>;
  put(key: string, value: Uint8Array, options?: { sha256: string }): Promise<unknown>;
  delete(key: string): Promise<unknown>;
}

/** The shipped catalogue, but names that are there already keep the version they were promoted to. */
async function putCatalog(bucket: SeedBucket): Promise<boolean> {
  const shipped = await readFile(join(assetsDir, catalogKey), 'utf8');
  const stored = await (await bucket.get(catalogKey))?.text();
  const merged = stored === undefined ? shipped : mergeCatalogs(shipped, stored);
  if (merged === stored) return false;
  await bucket.put(catalogKey, new TextEncoder().encode(merged));
  return true;
}

/** The stored catalogue with the names that only the shipped one has. */
export function mergeCatalogs(shipped: string, stored: string): string {
  const next = JSON.parse(shipped) as CatalogJson;
  const kept = JSON.parse(stored) as CatalogJson;
  const missing = next.models.filter(({ name }) => !kept.models.some((model) => model.name === name));
  return missing.length === 0
    ? stored
    : `${JSON.stringify({ ...kept, models: [...kept.models, ...missing] }, undefined, 2)}\n`;
}

interface CatalogJson {
  readonly default_model: string;
  readonly models: readonly { readonly name: string; readonly version: string }[];
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
