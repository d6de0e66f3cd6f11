import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../paths.ts';

/** Everything that a bundle is made of. Packages are pinned by the lock file. */
const sources = ['src', 'functions', 'wrangler.toml', 'package.json', 'package-lock.json', 'tsconfig.json'];

/**
 * SHA-256 (hex) over the names and bytes of every source file: equal fingerprints give equal bundles. Bytes and
 * not times, because git gives a file a new time whenever it checks it out.
 */
export async function fingerprintSources(): Promise<string> {
  const hash = createHash('sha256');
  const files = await Promise.all(sources.map(listFiles));
  const contents = await Promise.all(
    files.flat().map(async (file) => [file, await readFile(join(projectRoot, file))] as const),
  );
  for (const [file, bytes] of contents) hash.update(`${file}\0${bytes.length}\0`).update(bytes);
  return hash.digest('hex');
}

/** Paths of the files of a folder, or of the one file, relative to the project, in a fixed order. */
async function listFiles(source: string): Promise<string[]> {
  const folder = join(projectRoot, source);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => undefined);
  if (!entries) return [source];
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(projectRoot.length))
    .sort();
}
