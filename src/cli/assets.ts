import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type ModelManifest, parseCatalog, parseLabels, parseManifest } from '../model/manifest.ts';
import { catalogKey, manifestFile, toModelKey } from '../model/model-store.ts';
import { assetsDir } from './paths.ts';

/** Where `npm run models` pulls from; nothing the service reads. */
export const sourcesFile = 'sources.json';

/** Store keys of everything in `root` that the service reads: model cards and sources stay behind. */
async function listAssetKeys(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.md') && entry.name !== sourcesFile)
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

/**
 * Checks a folder of model assets whole: the catalogue names versions that exist, each manifest is
 * valid, each file has the size and SHA-256 its manifest gives, and there is nothing else.
 *
 * @returns SHA-256 (hex) by store key.
 * @throws {Error} naming the first file that is wrong.
 */
export async function verifyAssets(root: string = assetsDir): Promise<ReadonlyMap<string, string>> {
  const hashes = new Map<string, string>();
  for (const key of await listAssetKeys(root)) {
    hashes.set(key, (await hashFile(join(root, key))).sha256);
  }
  const expected = new Set([catalogKey]);
  const catalog = parseCatalog(await readJson(root, catalogKey));
  for (const [name, version] of catalog.versions) {
    if (!hashes.has(toModelKey(name, version, manifestFile))) {
      throw new Error(`${catalogKey} names ${name}/${version}, which has no ${manifestFile}.`);
    }
  }
  for (const manifestKey of [...hashes.keys()].filter((key) => key.endsWith(`/${manifestFile}`))) {
    const manifest = parseManifest(await readJson(root, manifestKey));
    const toKey = (file: string) => toModelKey(manifest.name, manifest.version, file);
    if (manifestKey !== toKey(manifestFile)) {
      throw new Error(`${manifestKey} describes ${manifest.name}/${manifest.version}.`);
    }
    await verifyModel(join(root, manifest.name, manifest.version), manifest);
    expected.add(toKey(manifest.model.file)).add(toKey(manifest.labels.file));
    expected.add(manifestKey);
  }
  for (const key of hashes.keys()) {
    if (!expected.has(key)) throw new Error(`${key} belongs to no manifest.`);
  }
  return hashes;
}

/**
 * Checks the files of one model version against its manifest.
 *
 * @param folder where manifest.json lies.
 * @throws {Error} naming the file that is wrong.
 */
export async function verifyModel(folder: string, manifest: ModelManifest): Promise<void> {
  for (const { file, bytes, sha256 } of [manifest.model, manifest.labels]) {
    const actual = await hashFile(join(folder, file));
    const name = `${manifest.name}/${manifest.version}/${file}`;
    if (actual.bytes !== bytes) throw new Error(`${name} has ${actual.bytes} bytes, not ${bytes}.`);
    if (actual.sha256 !== sha256) throw new Error(`${name} has SHA-256 ${actual.sha256}, not ${sha256}.`);
  }
  parseLabels(await readJson(folder, manifest.labels.file), manifest.output.classes);
}

async function readJson(root: string, key: string): Promise<unknown> {
  return JSON.parse(await readFile(join(root, key), 'utf8'));
}

async function hashFile(path: string): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash('sha256');
  const stream = createReadStream(path);
  await pipeline(stream, hash);
  return { sha256: hash.digest('hex'), bytes: stream.bytesRead };
}
