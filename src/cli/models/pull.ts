import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Progress } from './progress.ts';
import type { Sources } from './sources.ts';
import { workspaceDir } from './workspace.ts';

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
  await download(url, partial, source.bytes);
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

async function download(url: string, partial: string, total: number): Promise<void> {
  const have = (await sizeOf(partial)) ?? 0;
  if (have >= total) return;
  const response = await fetch(url, {
    headers: have > 0 ? { range: `bytes=${have}-` } : {},
    signal: AbortSignal.timeout(3_600_000),
  }).catch((cause: unknown) => {
    const reason =
      cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause);
    throw new Error(
      `Cannot reach ${url} (${reason}). Is there a network? A mirror can be named with --mirror URL or RESNET_EDGE_MIRROR.`,
    );
  });
  if (!response.ok || !response.body)
    throw new Error(`${url} answered ${response.status} ${response.statusText}.`);
  const resumed = response.status === 206;
  const file = await open(partial, resumed ? 'a' : 'w');
  const progress = new Progress(`pull ${url.split('/').at(-1)}`, total);
  let done = resumed ? have : 0;
  try {
    for await (const chunk of response.body) {
      done += chunk.byteLength;
      if (done > total) throw new Error(`${url} is longer than the ${total} bytes of the catalogue.`);
      await file.write(chunk);
      progress.update(done);
    }
  } finally {
    await file.close();
    progress.end();
  }
  if (done < total)
    throw new Error(
      `${url} ended after ${done} of ${total} bytes. Run the command again to go on from there.`,
    );
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
