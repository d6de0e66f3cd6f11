import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Worker } from 'cloudflare/resources/workers/beta';
import type { ScriptUpdateResponse, SecretListResponse } from 'cloudflare/resources/workers/scripts';
import type { V4WorkerOptions } from 'miniflare';
import type { Account, DeployedWorker } from './account.ts';
import { ApiError, type ApiRequest, type Routes } from './api-server.ts';

/** A binding in the metadata of an upload. */
interface Binding {
  readonly type: string;
  readonly name: string;
  readonly text?: string;
  readonly bucket_name?: string;
  readonly id?: string;
  readonly queue_name?: string;
  readonly simple?: { readonly limit: number; readonly period: number };
}

export interface UploadMetadata {
  readonly main_module: string;
  readonly bindings: readonly Binding[];
  readonly compatibility_date: string;
  readonly compatibility_flags: readonly string[];
  readonly limits?: { readonly cpu_ms: number };
  readonly observability?: object;
}

/** Workers: assets, upload, secrets, workers.dev and triggers. What is uploaded can be served. */
export function workerRoutes(account: Account, uploads: UploadMetadata[]): Routes {
  const root = `/accounts/${account.id}/workers`;
  const assets = new Map<string, Uint8Array>();
  let manifest: Readonly<Record<string, { readonly hash: string }>> = {};
  const find = (name: string): DeployedWorker => {
    const worker = account.workers.get(name);
    if (worker) return worker;
    throw new ApiError(404, 10_007, 'This Worker does not exist on your account.');
  };
  const toJson = (body: Uint8Array) => JSON.parse(Buffer.from(body).toString());
  const upload = async (request: ApiRequest): Promise<ScriptUpdateResponse> => {
    const [name = ''] = request.parts;
    const form = await toForm(request);
    const metadata: UploadMetadata = JSON.parse(await toText(form.get('metadata')));
    uploads.push(metadata);
    const earlier = account.workers.get(name);
    const secrets = new Map(earlier?.secrets);
    for (const { type, name: secret, text = '' } of metadata.bindings) {
      if (type === 'secret_text') secrets.set(secret, text);
    }
    account.workers.set(name, {
      tag: earlier?.tag ?? randomUUID(),
      secrets,
      onWorkersDev: earlier?.onWorkersDev ?? false,
      schedules: earlier?.schedules ?? [],
      options: await toWorker(name, metadata, form, secrets, await writeAssets(manifest, assets)),
    });
    await account.serve(name);
    return {
      id: name,
      etag: randomUUID(),
      startup_time_ms: 12,
      has_assets: true,
      has_modules: true,
      ...{ deployment_id: randomUUID() },
    };
  };

  return {
    [`GET ${root}/services/([^/]+)`]: ({ parts: [name = ''] }) => ({
      id: name,
      default_environment: {
        environment: 'production',
        script: { id: name, tag: find(name).tag, tags: [], last_deployed_from: 'wrangler' },
      },
    }),
    [`GET ${root}/workers/([^/]+)`]: ({ parts: [name = ''] }): Worker => ({
      id: find(name).tag,
      name,
      created_on: '2026-11-28T00:00:00.000Z',
      updated_on: '2026-11-28T00:00:00.000Z',
      logpush: false,
      observability: {},
      references: {
        dispatch_namespace_outbounds: [],
        domains: [],
        durable_objects: [],
        queues: [],
        workers: [],
      },
      subdomain: { enabled: find(name).onWorkersDev, previews_enabled: false },
      tags: [],
      tail_consumers: [],
    }),
    [`GET ${root}/scripts/([^/]+)/settings`]: ({ parts: [name = ''] }) => {
      find(name);
      return { bindings: uploads.at(-1)?.bindings.filter(({ type }) => type !== 'secret_text') };
    },
    [`GET ${root}/scripts/([^/]+)/secrets`]: ({ parts: [name = ''] }): SecretListResponse[] =>
      [...find(name).secrets.keys()].map((secret) => ({ name: secret, type: 'secret_text' })),
    [`POST ${root}/scripts/([^/]+)/assets-upload-session`]: ({ body }) => {
      ({ manifest } = toJson(body));
      const missing = [...new Set(Object.values(manifest).map(({ hash }) => hash))].filter(
        (hash) => !assets.has(hash),
      );
      return { jwt: 'session', buckets: missing.length > 0 ? [missing] : [] };
    },
    [`POST ${root}/assets/upload`]: async (request) => {
      for (const [hash, value] of await toForm(request)) {
        assets.set(hash, Buffer.from(await toText(value), 'base64'));
      }
      return { jwt: 'completed' };
    },
    [`PUT ${root}/scripts/([^/]+)`]: upload,
    [`POST ${root}/scripts/([^/]+)/versions`]: async (request) => {
      const { id: _, ...rest } = await upload(request);
      return { id: randomUUID(), number: 2, resources: { script: { etag: 'etag' } }, ...rest };
    },
    [`GET ${root}/scripts/([^/]+)/deployments`]: ({ parts: [name = ''] }) => {
      find(name);
      return { deployments: [] };
    },
    [`POST ${root}/scripts/([^/]+)/deployments`]: () => ({ id: randomUUID() }),
    [`PATCH ${root}/scripts/([^/]+)/script-settings`]: () => ({}),
    [`GET ${root}/scripts/([^/]+)/subdomain`]: ({ parts: [name = ''] }) => ({
      enabled: find(name).onWorkersDev,
      previews_enabled: false,
    }),
    [`POST ${root}/scripts/([^/]+)/subdomain`]: ({ parts: [name = ''], body }) => {
      find(name).onWorkersDev = toJson(body).enabled;
      return { enabled: find(name).onWorkersDev, previews_enabled: false };
    },
    [`GET ${root}/subdomain`]: () => ({ subdomain: 'the-test' }),
    [`PUT ${root}/scripts/([^/]+)/schedules`]: ({ parts: [name = ''], body }) => {
      const schedules = toJson(body) as { cron: string }[];
      find(name).schedules = schedules.map(({ cron }) => cron);
      return { schedules };
    },
  };
}

async function toForm({ body, headers }: ApiRequest): Promise<FormData> {
  return await new Response(body, { headers: { 'content-type': `${headers['content-type']}` } }).formData();
}

async function toText(value: FormDataEntryValue | null): Promise<string> {
  return value instanceof File ? await value.text() : `${value}`;
}

/** The Worker that the runtime serves: the very modules and bindings of the upload. */
async function toWorker(
  name: string,
  metadata: UploadMetadata,
  form: FormData,
  secrets: ReadonlyMap<string, string>,
  assetsFolder: string,
): Promise<V4WorkerOptions> {
  const modules: { type: 'ESModule' | 'CompiledWasm'; path: string; contents: Uint8Array<ArrayBuffer> }[] =
    [];
  for (const [, file] of form) {
    if (!(file instanceof File)) continue;
    const type = /wasm/.test(file.type)
      ? 'CompiledWasm'
      : /javascript\+module/.test(file.type)
        ? 'ESModule'
        : undefined;
    if (type) modules.push({ type, path: file.name, contents: new Uint8Array(await file.arrayBuffer()) });
  }
  modules.sort((a, b) => Number(b.path === metadata.main_module) - Number(a.path === metadata.main_module));
  const of = (type: string) => metadata.bindings.filter((binding) => binding.type === type);
  const toRecord = <T>(bindings: readonly Binding[], toValue: (binding: Binding) => T) =>
    Object.fromEntries(bindings.map((binding) => [binding.name, toValue(binding)]));
  return {
    name,
    modules,
    modulesRoot: '/',
    compatibilityDate: metadata.compatibility_date,
    compatibilityFlags: [...metadata.compatibility_flags],
    bindings: {
      ...toRecord(of('plain_text'), ({ text = '' }) => text),
      ...Object.fromEntries(secrets),
    },
    r2Buckets: toRecord(of('r2_bucket'), ({ bucket_name: bucket = '' }) => bucket),
    d1Databases: toRecord(of('d1'), ({ id = '' }) => id),
    queueProducers: toRecord(of('queue'), ({ queue_name: queue = '' }) => queue),
    assets: {
      directory: assetsFolder,
      binding: 'ASSETS',
      routerConfig: { invoke_user_worker_ahead_of_assets: true, has_user_worker: true },
    },
  };
}

async function writeAssets(
  manifest: Readonly<Record<string, { readonly hash: string }>>,
  assets: ReadonlyMap<string, Uint8Array>,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'assets-'));
  for (const [path, { hash }] of Object.entries(manifest)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), assets.get(hash)!);
  }
  return folder;
}
