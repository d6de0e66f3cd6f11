import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { getPlatformProxy } from 'wrangler';
import { kvPartBytes, putKvFile, toKvPartKey } from '../../model/kv-parts.ts';
import { parseCatalog } from '../../model/manifest.ts';
import { catalogKey, manifestFile, toModelKey } from '../../model/model-store.ts';
import { verifyModel } from '../assets.ts';
import { projectRoot, stateDir } from '../paths.ts';
import type { LocalModel } from './workspace.ts';

const bucketName = 'resnet-edge-models';
const run = promisify(execFile);

/** A place that models are published to. */
export interface PublishTarget {
  read(key: string): Promise<Uint8Array | undefined>;
  write(key: string, bytes: Uint8Array, sha256: string | undefined): Promise<void>;
  close(): Promise<void>;
}

/** The local R2 bucket, and the KV namespace MODELS_KV where wrangler.toml has one. */
export async function openLocalTarget(): Promise<PublishTarget> {
  const proxy = await getPlatformProxy<{
    MODELS: {
      get(key: string): Promise<{ arrayBuffer(): Promise<ArrayBuffer> } | null>;
      put(key: string, value: Uint8Array, options?: { sha256: string }): Promise<unknown>;
    };
    MODELS_KV?: Parameters<typeof putKvFile>[0];
  }>({ configPath: join(projectRoot, 'wrangler.toml'), persist: { path: join(stateDir, 'v3') } });
  const { MODELS, MODELS_KV } = proxy.env;
  return {
    async read(key) {
      const object = await MODELS.get(key);
      return object ? new Uint8Array(await object.arrayBuffer()) : undefined;
    },
    async write(key, bytes, sha256) {
      await MODELS.put(key, bytes, sha256 === undefined ? undefined : { sha256 });
      if (MODELS_KV) await putKvFile(MODELS_KV, key, bytes);
    },
    close: () => proxy.dispose(),
  };
}

/**
 * The deployed bucket, through wrangler and its login.
 *
 * @param kvNamespaceId also writes this KV namespace.
 */
export async function openRemoteTarget(kvNamespaceId: string | undefined): Promise<PublishTarget> {
  const scratch = await mkdtemp(join(tmpdir(), 'resnet-edge-'));
  const wrangler = (...args: string[]) =>
    run('npx', ['--no-install', 'wrangler', ...args, '--remote'], { cwd: projectRoot });
  const withFile = async (bytes: Uint8Array, use: (path: string) => Promise<unknown>) => {
    const path = join(scratch, 'object');
    await writeFile(path, bytes);
    await use(path);
  };
  return {
    async read(key) {
      const path = join(scratch, 'read');
      try {
        await wrangler('r2', 'object', 'get', `${bucketName}/${key}`, '--file', path);
        return new Uint8Array(await readFile(path));
      } catch (error) {
        if (/not exist|404|10007/.test(String((error as { stderr?: string }).stderr ?? error)))
          return undefined;
        throw error;
      }
    },
    async write(key, bytes) {
      await withFile(bytes, (path) =>
        wrangler('r2', 'object', 'put', `${bucketName}/${key}`, '--file', path),
      );
      if (!kvNamespaceId) return;
      const parts = Math.max(1, Math.ceil(bytes.byteLength / kvPartBytes));
      for (let part = parts - 1; part >= 0; part--) {
        const slice = bytes.subarray(part * kvPartBytes, (part + 1) * kvPartBytes);
        const metadata = part === 0 ? ['--metadata', JSON.stringify({ bytes: bytes.byteLength, parts })] : [];
        await withFile(slice, (path) =>
          wrangler(
            'kv',
            'key',
            'put',
            toKvPartKey(key, part),
            '--path',
            path,
            '--namespace-id',
            kvNamespaceId,
            ...metadata,
          ),
        );
      }
    },
    close: () => rm(scratch, { recursive: true }),
  };
}

/**
 * Publishes one version. Files first, the manifest last: until it is there, the version is not.
 *
 * @returns keys that were written; none if the store holds this very version already.
 * @throws {Error} if it holds another model under the same version: versions never change.
 */
export async function pushModel({ folder, manifest }: LocalModel, target: PublishTarget): Promise<string[]> {
  const toKey = (file: string) => toModelKey(manifest.name, manifest.version, file);
  const local = new Uint8Array(await readFile(join(folder, manifestFile)));
  const stored = await target.read(toKey(manifestFile));
  if (stored) {
    if (Buffer.from(stored).equals(Buffer.from(local))) return [];
    throw new Error(
      `${manifest.name}/${manifest.version} is published already, with another content. A version never changes: make a new one.`,
    );
  }
  const written: string[] = [];
  for (const [file, { path, sha256 }] of await verifyModel(folder, manifest)) {
    await target.write(toKey(file), new Uint8Array(await readFile(path)), sha256);
    written.push(toKey(file));
  }
  await target.write(toKey(manifestFile), local, undefined);
  return [...written, toKey(manifestFile)];
}

/**
 * Lets a name stand for a version. Running isolates follow within catalogTtlMs; requests under way
 * finish on the version they began with.
 *
 * @throws {Error} if the version is not in the store.
 */
export async function promoteModel(
  name: string,
  version: string,
  target: PublishTarget,
  { asDefault = false } = {},
): Promise<void> {
  if (!(await target.read(toModelKey(name, version, manifestFile)))) {
    throw new Error(`${name}/${version} is not published there: npm run models -- push ${name}/${version}`);
  }
  const stored = await target.read(catalogKey);
  const catalog = stored && parseCatalog(JSON.parse(Buffer.from(stored).toString()));
  const versions = new Map(catalog?.versions);
  versions.set(name, version);
  const next = {
    default_model: asDefault ? name : (catalog?.defaultModel ?? name),
    models: Array.from(versions, ([model, current]) => ({ name: model, version: current })),
  };
  const bytes = new TextEncoder().encode(`${JSON.stringify(next, undefined, 2)}\n`);
  await target.write(catalogKey, bytes, undefined);
}
