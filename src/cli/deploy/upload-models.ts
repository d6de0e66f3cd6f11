import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { catalogKey, manifestFile } from '../../model/model-store.ts';
import { type LocalAsset, verifyAssets } from '../assets.ts';
import { mergeCatalog, shippedCatalogKey } from '../merge-catalog.ts';
import { assetsDir } from '../paths.ts';
import { getRemoteObject, putRemoteObject } from './remote-objects.ts';
import type { Step } from './step.ts';

/**
 * Uploads the embedded models to a deployed bucket. A version never changes, and its manifest is uploaded last, so a
 * version with a manifest is complete. The catalogue becomes the shipped one, except for names that somebody has promoted
 * to another version.
 *
 * @throws {Error} from `run`, if a file is not what its manifest says.
 */
export function uploadModels(bucket: string): Step {
  return {
    title: `Models into ${bucket}`,
    calls: [
      `npx wrangler r2 object get ${bucket}/NAME/VERSION/${manifestFile} --remote`,
      `unless it is there: npx wrangler r2 object put ${bucket}/KEY --file FILE --remote, for each file of it`,
      `npx wrangler r2 object get, and if it has to follow put, ${bucket}/${catalogKey} --remote`,
    ],
    async run() {
      const assets = await verifyAssets();
      const scratch = await mkdtemp(join(tmpdir(), 'resnet-edge-'));
      try {
        let uploaded = 0;
        for (const manifestKey of [...assets.keys()].filter((key) => key.endsWith(`/${manifestFile}`))) {
          uploaded += await uploadVersion(bucket, manifestKey, assets, scratch);
        }
        if (await uploadCatalog(bucket, scratch)) uploaded++;
        return uploaded === 0 ? 'there already' : `${uploaded} of ${assets.size} files uploaded`;
      } finally {
        await rm(scratch, { recursive: true });
      }
    },
  };
}

/** @returns how many files were uploaded. */
async function uploadVersion(
  bucket: string,
  manifestKey: string,
  assets: ReadonlyMap<string, LocalAsset>,
  scratch: string,
): Promise<number> {
  const local = await readFile(join(assetsDir, manifestKey));
  const stored = await getRemoteObject(bucket, manifestKey, scratch);
  if (stored && local.equals(stored)) return 0;
  if (stored) {
    throw new Error(
      `${bucket} has another ${manifestKey}. A version never changes: publish yours as a new one with npm run models.`,
    );
  }
  const files = [...assets].filter(([key]) => dirname(key) === dirname(manifestKey) && key !== manifestKey);
  for (const [key, { path }] of files) await putRemoteObject(bucket, key, path);
  await putRemoteObject(bucket, manifestKey, join(assetsDir, manifestKey));
  return files.length + 1;
}

async function uploadCatalog(bucket: string, scratch: string): Promise<boolean> {
  const readText = async (key: string) => {
    const bytes = await getRemoteObject(bucket, key, scratch);
    return bytes && Buffer.from(bytes).toString();
  };
  const shippedPath = join(assetsDir, catalogKey);
  const shipped = await readFile(shippedPath, 'utf8');
  const stored = await readText(catalogKey);
  const before = await readText(shippedCatalogKey);
  const merged = mergeCatalog(shipped, stored, before);
  if (merged !== stored) {
    const path = join(scratch, 'catalog');
    await writeFile(path, merged);
    await putRemoteObject(bucket, catalogKey, path);
  }
  if (before !== shipped) await putRemoteObject(bucket, shippedCatalogKey, shippedPath);
  return merged !== stored;
}
