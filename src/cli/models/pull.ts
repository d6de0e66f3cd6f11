import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { workspaceDir } from '../paths.ts';
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

/** A source that is silent for so long is given up; a whole download may take as long as the network needs. */
const idleTimeoutMs = 60_000;

async function download(url: string, partial: string, total: number): Promise<void> {
  const have = (await sizeOf(partial)) ?? 0;
  if (have >= total) return;
  const abort = new AbortController();
  const idle = setTimeout(() => abort.abort(new Error('silent for a minute')), idleTimeoutMs);
  try {
    const response = await fetch(url, {
      headers: have > 0 ? { range: `bytes=${have}-` } : {},
      signal: abort.signal,
    }).catch((cause: unknown) => {
      throw new Error(
        `Cannot reach ${url} (${toReason(cause)}). Is there a network? A mirror can be named with --mirror URL or RESNET_EDGE_MIRROR.`,
      );
    });
    if (!response.ok || !response.body)
      throw new Error(`${url} answered ${response.status} ${response.statusText}.`);
    idle.refresh();
    await save(url, response.body, partial, total, response.status === 206 ? have : 0, () => idle.refresh());
  } finally {
    clearTimeout(idle);
  }
}

/** @param from bytes that the partial file keeps; the body goes on from there. */
async function save(
  url: string,
  body: ReadableStream<Uint8Array>,
  partial: string,
  total: number,
  from: number,
  onBytes: () => void,
): Promise<void> {
  const file = await open(partial, from > 0 ? 'a' : 'w');
  const progress = new Progress(`pull ${url.split('/').at(-1)}`, total);
  let done = from;
  let reason = 'it ended';
  try {
    for await (const chunk of body) {
      done += chunk.byteLength;
      if (done > total) break;
      await file.write(chunk);
      onBytes();
      progress.update(done);
    }
  } catch (cause) {
    reason = toReason(cause);
  } finally {
    await file.close();
    progress.end();
  }
  if (done > total) {
    await rm(partial);
    throw new Error(`${url} is longer than the ${total} bytes of the catalogue. Nothing was kept.`);
  }
  if (done < total) {
    throw new Error(
      `${url} broke off after ${done} of ${total} bytes (${reason}). Run the command again to go on from there.`,
    );
  }
}

function toReason(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.cause instanceof Error ? cause.cause.message : cause.message;
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
