import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { workspaceDir } from '../paths.ts';
import { download } from './download.ts';
import { Progress } from './progress.ts';
import type { Sources } from './sources.ts';

/**
 * Downloads a model of the catalogue, resuming where an earlier try stopped. Nothing is kept under
 * its final name before size and SHA-256 are right.
 *
 * @param mirror replaces scheme, host and port of the catalogue's address, and may add a path in front.
 * @returns path of the verified file.
 * @throws {Error} saying what to do, if there is no network or the file is another one.
 */
export async function pullModel(
  source: Sources['models'][number],
  mirror: string | undefined,
): Promise<string> {
  const folder = join(workspaceDir, '.downloads');
  await mkdir(folder, { recursive: true });
  const target = join(folder, `${source.name}-${source.sha256.slice(0, 12)}.onnx`);
  if ((await sizeOf(target)) === source.bytes && (await hashFile(target)) === source.sha256) return target;

  const partial = `${target}.partial`;
  const url = toMirrorUrl(source.url, mirror);
  const progress = new Progress(`pull ${source.name}`, source.bytes);
  try {
    await download({
      url,
      path: partial,
      total: source.bytes,
      onProgress: (bytes) => progress.update(bytes),
    });
  } finally {
    progress.end();
  }
  const [bytes, sha256] = [await sizeOf(partial), await hashFile(partial)];
  if (bytes !== source.bytes || sha256 !== source.sha256) {
    await rm(partial);
    throw new Error(
      `${url} gave ${bytes} bytes with SHA-256 ${sha256}; the catalogue says ${source.bytes} bytes, ${source.sha256}. Nothing was kept.`,
    );
  }
  await rename(partial, target);
  return target;
}

function toMirrorUrl(url: string, mirror: string | undefined): string {
  if (!mirror) return url;
  const { pathname, search } = new URL(url);
  return `${mirror.replace(/\/+$/, '')}${pathname}${search}`;
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.size;
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}
