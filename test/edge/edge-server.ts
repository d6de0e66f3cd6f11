import { createTestHarness } from 'wrangler';
import { verifyAssets } from '../../src/cli/assets.ts';
import { applyMigrations, type MigratedDatabase } from '../../src/cli/local/migrate-batches.ts';
import { putMissing, type SeedBucket } from '../../src/cli/local/seed-models.ts';
import { buildDir, engineBuildDir, projectRoot } from '../../src/cli/paths.ts';
import { lightBuildDir } from '../build-edge.ts';

/** The built Worker in a workerd of its own: a fresh isolate, an empty R2 bucket. */
export interface EdgeServer {
  readonly url: string;
  readonly models: SeedBucket;
  /** The bindings, as the Worker had them when it began or was reconfigured. */
  readonly env: EdgeBindings;
  /** `fetch` on the server with a timeout; `path` starts with a slash. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Lines the Worker logged, parsed. */
  logs(): Record<string, unknown>[];
  /** Serves another configuration from the same storage, at the same address. Variables and secrets stay. */
  reconfigure(configPath: string): Promise<void>;
  /** Runs the scheduled handler. */
  scheduled(): Promise<unknown>;
  stop(): Promise<void>;
}

export interface EdgeBindings {
  readonly MODELS: SeedBucket;
  readonly BATCHES: SeedBucket & {
    list(options: { prefix: string }): Promise<{ readonly objects: readonly { readonly key: string }[] }>;
  };
  /** Where a test's configuration has it. */
  readonly IMAGES_BUCKET?: ImagesBucket;
  readonly BATCHES_DB: MigratedDatabase;
  readonly BATCHES_DB_2?: MigratedDatabase;
  readonly BATCH_CHUNKS: MessageQueue;
  readonly OBJECT_EVENTS?: MessageQueue;
}

interface MessageQueue {
  sendBatch(messages: readonly { body: unknown }[]): Promise<unknown>;
}

interface ImagesBucket {
  head(key: string): Promise<StoredObject | null>;
  put(
    key: string,
    value: Uint8Array,
    options?: { customMetadata?: Record<string, string>; httpMetadata?: { contentType: string } },
  ): Promise<StoredObject>;
  delete(key: string): Promise<unknown>;
  createMultipartUpload(key: string): Promise<{
    uploadPart(number: number, part: Uint8Array): Promise<unknown>;
    complete(parts: readonly unknown[]): Promise<StoredObject>;
  }>;
}

interface StoredObject {
  readonly etag: string;
  /** Another one for each write. */
  readonly version: string;
  readonly customMetadata?: Record<string, string>;
  readonly httpMetadata?: { readonly contentType?: string };
}

/** Makes the tables of every database of batches. */
export async function migrate({ BATCHES_DB, BATCHES_DB_2 }: EdgeBindings): Promise<void> {
  for (const database of [BATCHES_DB, BATCHES_DB_2]) if (database) await applyMigrations(database);
}

/** What is served: without onnxruntime-web, unless a test is about it. */
const bundleDirs = { light: lightBuildDir, whole: buildDir, engine: engineBuildDir } as const;

export async function startEdge({
  seed = true,
  configPath = './wrangler.toml',
  vars = {} as Record<string, string>,
  secrets = {} as Record<string, string>,
  bundle = 'light' as 'light' | 'whole' | 'engine',
  migrated = true,
} = {}): Promise<EdgeServer> {
  const toOptions = (path: string) => ({
    root: projectRoot,
    // Open to everyone, and asked each question anew, unless a test says otherwise.
    workers: [
      {
        configPath: path,
        vars: { PUBLIC_SCOPES: 'classify,batch,teach,admin', ANSWER_CACHE_SECONDS: '0', ...vars },
        secrets,
        prebuiltWorkerDir: bundleDirs[bundle],
      },
    ],
  });
  const harness = createTestHarness(toOptions(configPath));
  const { url } = await harness.listen();
  const readEnv = async () => {
    const bound = await harness.getWorker<EdgeBindings>().getEnv();
    if (migrated) await migrate(bound);
    return bound;
  };
  let env = await readEnv();
  const { MODELS: models } = env;
  if (seed) await putMissing(models, await verifyAssets());
  return {
    url: url.origin,
    models,
    get env() {
      return env;
    },
    fetch: (path, init) => fetch(`${url.origin}${path}`, { signal: AbortSignal.timeout(30_000), ...init }),
    logs: () =>
      harness.getLogs().flatMap(({ message }) => {
        try {
          return [JSON.parse(message)];
        } catch {
          return [];
        }
      }),
    async reconfigure(path) {
      await harness.update(toOptions(path));
      env = await readEnv();
    },
    scheduled: () => harness.getWorker().scheduled({ cron: '*/5 * * * *' }),
    stop: () => harness.close(),
  };
}
