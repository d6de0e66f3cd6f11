import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type ModelFile, parseCatalog, parseLabels, parseManifest } from '../model/manifest.ts';
import { catalogKey, manifestFile, toModelKey } from '../model/model-store.ts';
import { assetsDir } from './paths.ts';

/** Store keys of everything in `root` that the service reads: model cards stay behind. */
async function listAssetKeys(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.md'))
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
  const sizes = new Map<string, number>();
  for (const key of await listAssetKeys(root)) {
    const { sha256, bytes } = await hashFile(join(root, key));
    hashes.set(key, sha256);
    sizes.set(key, bytes);
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
    const check = ({ file, bytes, sha256 }: ModelFile) => {
      const key = toKey(file);
      if (sizes.get(key) !== bytes) throw new Error(`${key} has ${sizes.get(key)} bytes, not ${bytes}.`);
      if (hashes.get(key) !== sha256)
        throw new Error(`${key} has SHA-256 ${hashes.get(key)}, not ${sha256}.`);
      expected.add(key);
    };
    check(manifest.model);
    check(manifest.labels);
    parseLabels(await readJson(root, toKey(manifest.labels.file)), manifest.output.classes);
    expected.add(manifestKey);
  }
  for (const key of hashes.keys()) {
    if (!expected.has(key)) throw new Error(`${key} belongs to no manifest.`);
  }
  return hashes;
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
