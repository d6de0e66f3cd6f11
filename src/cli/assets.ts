import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import {
  fileKinds,
  type ModelFile,
  type ModelManifest,
  parseCatalog,
  parseLabels,
  parseManifest,
} from '../model/manifest.ts';
import { catalogKey, manifestFile, toModelKey } from '../model/model-store.ts';
import { locateModelFile } from './model-files.ts';
import { assetsDir } from './paths.ts';

/** Lists where `npm run models` pulls from. The service does not read it. */
export const sourcesFile = 'sources.json';

/** Store keys of all files in `root` that the service reads, without model cards and sources. */
async function listAssetKeys(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.md') && entry.name !== sourcesFile)
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

/** One object of the store, on this machine. */
export interface LocalAsset {
  readonly path: string;
  /** Lower-case hex. */
  readonly sha256: string;
}

/**
 * Checks a folder of model assets whole: the catalogue names versions that exist, each manifest is
 * valid, each file has the size and SHA-256 its manifest gives, and there is nothing else. It derives the files that are
 * made from others.
 *
 * @returns what belongs into the store, by key.
 * @throws {Error} naming the first file that is wrong.
 */
export async function verifyAssets(root: string = assetsDir): Promise<ReadonlyMap<string, LocalAsset>> {
  const keys = new Set(await listAssetKeys(root));
  const assets = new Map<string, LocalAsset>();
  const addCommitted = async (key: string) =>
    assets.set(key, { path: join(root, key), sha256: (await hashFile(join(root, key))).sha256 });
  const catalog = parseCatalog(await readJson(root, catalogKey));
  for (const [name, version] of catalog.versions) {
    if (!keys.has(toModelKey(name, version, manifestFile))) {
      throw new Error(`${catalogKey} names ${name}/${version}, which has no ${manifestFile}.`);
    }
  }
  await addCommitted(catalogKey);
  for (const manifestKey of [...keys].filter((key) => key.endsWith(`/${manifestFile}`))) {
    const manifest = parseManifest(await readJson(root, manifestKey));
    const toKey = (file: string) => toModelKey(manifest.name, manifest.version, file);
    if (manifestKey !== toKey(manifestFile)) {
      throw new Error(`${manifestKey} describes ${manifest.name}/${manifest.version}.`);
    }
    const files = await verifyModel(join(root, manifest.name, manifest.version), manifest);
    for (const [file, asset] of files) assets.set(toKey(file), asset);
    await addCommitted(manifestKey);
  }
  for (const key of keys) {
    if (!assets.has(key)) throw new Error(`${key} belongs to no manifest.`);
  }
  return assets;
}

/**
 * Checks the files of one model version against its manifest.
 *
 * @param folder where manifest.json lies.
 * @returns its files by name, the derived ones too.
 * @throws {Error} naming the file that is wrong.
 */
export async function verifyModel(
  folder: string,
  manifest: ModelManifest,
): Promise<ReadonlyMap<string, LocalAsset>> {
  const verified = new Map<string, LocalAsset>();
  const verify = async (path: string, { file, bytes, sha256 }: ModelFile) => {
    const actual = await hashFile(path);
    const name = `${manifest.name}/${manifest.version}/${file}`;
    if (actual.bytes !== bytes) throw new Error(`${name} has ${actual.bytes} bytes, not ${bytes}.`);
    if (actual.sha256 !== sha256) throw new Error(`${name} has SHA-256 ${actual.sha256}, not ${sha256}.`);
    verified.set(file, { path, sha256 });
  };
  await verify(join(folder, manifest.labels.file), manifest.labels);
  for (const kind of fileKinds) {
    const file = manifest.files[kind];
    if (file) await verify(await locateModelFile(folder, manifest, kind), file);
  }
  parseLabels(await readJson(folder, manifest.labels.file), manifest.output.classes);
  return verified;
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
