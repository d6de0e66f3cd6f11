import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kvPartBytes, putKvFile, toKvPartKey } from '../../model/kv-parts.ts';
import { parseCatalog } from '../../model/manifest.ts';
import { catalogKey, manifestFile, toModelKey } from '../../model/model-store.ts';
import { verifyModel } from '../assets.ts';
import { callWrangler } from '../deploy/call-wrangler.ts';
import { parseEnvironment, readDeployment } from '../deploy/deployment.ts';
import { getRemoteObject, putRemoteObject } from '../deploy/remote-objects.ts';
import { openLocalStorage } from '../local/open-local-storage.ts';
import type { LocalModel } from './workspace.ts';

/** A place that models are published to. */
export interface PublishTarget {
  read(key: string): Promise<Uint8Array | undefined>;
  write(key: string, bytes: Uint8Array, sha256: string | undefined): Promise<void>;
  close(): Promise<void>;
}

/** The local R2 bucket, and the KV namespace MODELS_KV where wrangler.toml has one. */
export async function openLocalTarget(): Promise<PublishTarget> {
  const { bindings, close } = await openLocalStorage<{
    MODELS: {
      get(key: string): Promise<{ arrayBuffer(): Promise<ArrayBuffer> } | null>;
      put(key: string, value: Uint8Array, options?: { sha256: string }): Promise<unknown>;
    };
    MODELS_KV?: Parameters<typeof putKvFile>[0];
  }>();
  const { MODELS, MODELS_KV } = bindings;
  return {
    async read(key) {
      const object = await MODELS.get(key);
      return object ? new Uint8Array(await object.arrayBuffer()) : undefined;
    },
    async write(key, bytes, sha256) {
      await MODELS.put(key, bytes, sha256 === undefined ? undefined : { sha256 });
      if (MODELS_KV) await putKvFile(MODELS_KV, key, bytes);
    },
    close,
  };
}

/**
 * The deployed bucket of an environment of wrangler.toml, through wrangler and its login.
 *
 * @param kvNamespaceId also writes this KV namespace.
 */
export async function openRemoteTarget({
  env = 'production',
  kvNamespaceId,
}: {
  readonly env?: string | undefined;
  readonly kvNamespaceId?: string | undefined;
}): Promise<PublishTarget> {
  const { modelsBucket } = await readDeployment(parseEnvironment(env));
  const scratch = await mkdtemp(join(tmpdir(), 'resnet-edge-'));
  const withFile = async (bytes: Uint8Array, use: (path: string) => Promise<unknown>) => {
    const path = join(scratch, 'object');
    await writeFile(path, bytes);
    await use(path);
  };
  return {
    read: (key) => getRemoteObject(modelsBucket, key, scratch),
    async write(key, bytes) {
      await withFile(bytes, (path) => putRemoteObject(modelsBucket, key, path));
      if (!kvNamespaceId) return;
      const parts = Math.max(1, Math.ceil(bytes.byteLength / kvPartBytes));
      for (let part = parts - 1; part >= 0; part--) {
        const slice = bytes.subarray(part * kvPartBytes, (part + 1) * kvPartBytes);
        const metadata = part === 0 ? ['--metadata', JSON.stringify({ bytes: bytes.byteLength, parts })] : [];
        await withFile(slice, (path) =>
          callWrangler([
            ...['kv', 'key', 'put', toKvPartKey(key, part), '--path', path, '--remote'],
            ...['--namespace-id', kvNamespaceId, ...metadata],
          ]),
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

export interface PromoteOptions {
  /** Whether it becomes the service's default. */
  readonly asDefault?: boolean;
  /** Names of other APIs that the model answers to from now on. */
  readonly aliases?: readonly string[];
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
  { asDefault = false, aliases = [] }: PromoteOptions = {},
): Promise<void> {
  if (!(await target.read(toModelKey(name, version, manifestFile)))) {
    throw new Error(`${name}/${version} is not published there: npm run models -- push ${name}/${version}`);
  }
  const stored = await target.read(catalogKey);
  const catalog = stored && parseCatalog(JSON.parse(Buffer.from(stored).toString()));
  const versions = new Map(catalog?.versions);
  versions.set(name, version);
  const pointed = new Map(catalog?.aliases);
  for (const alias of aliases) pointed.set(alias, name);
  const next = {
    default_model: asDefault ? name : (catalog?.defaultModel ?? name),
    models: Array.from(versions, ([model, current]) => ({ name: model, version: current })),
    ...(pointed.size > 0 && { aliases: Object.fromEntries(pointed) }),
  };
  const bytes = new TextEncoder().encode(`${JSON.stringify(next, undefined, 2)}\n`);
  await target.write(catalogKey, bytes, undefined);
}
