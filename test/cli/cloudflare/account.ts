import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, type V4WorkerOptions } from 'miniflare';

/** The account's resources, kept by the runtime that also serves what is deployed to it: R2 is R2 and D1 is SQLite. */
export interface Account {
  readonly id: string;
  /** Where the Worker that was uploaded last is served. */
  readonly url: string;
  /** Accounts that the login may use. */
  logins: readonly { readonly id: string; readonly name: string }[];
  readonly buckets: Set<string>;
  /** Names by id. */
  readonly databases: Map<string, string>;
  readonly queues: Map<string, QueueEntry>;
  /** What was deployed, by name. */
  readonly workers: Map<string, DeployedWorker>;
  createDatabase(name: string): Promise<string>;
  createBucket(name: string): Promise<void>;
  bucket(name: string): Promise<Bucket>;
  database(id: string): Promise<Database>;
  /** Serves the Worker of that name. */
  serve(name: string): Promise<void>;
  close(): Promise<void>;
}

export interface QueueEntry {
  readonly id: string;
  readonly consumers: { readonly id: string; readonly script: string; readonly deadLetterQueue: string }[];
}

/** A Worker as it was uploaded, in miniflare's terms. */
export interface DeployedWorker {
  readonly tag: string;
  options: V4WorkerOptions;
  secrets: Map<string, string>;
  onWorkersDev: boolean;
  schedules: readonly string[];
}

export interface Bucket {
  get(key: string): Promise<{ arrayBuffer(): Promise<ArrayBuffer> } | null>;
  put(key: string, value: Uint8Array): Promise<unknown>;
}

export interface Database {
  prepare(sql: string): {
    bind(...values: unknown[]): { all(): Promise<{ results: unknown[]; meta: object }> };
  };
}

export async function createAccount(): Promise<Account> {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'account-'));
  const buckets = new Set<string>();
  const databases = new Map<string, string>();
  let served: DeployedWorker | undefined;

  const toOptions = () =>
    convertV4MiniflareOptions({
      cf: false,
      port,
      host: '127.0.0.1',
      telemetry: { enabled: false },
      log: new Log(LogLevel.ERROR),
      handleStructuredLogs: () => undefined,
      resourcePersistencePath: folder,
      workers: [
        ...(served ? [served.options] : []),
        {
          name: 'storage',
          modules: true,
          script: 'export default { fetch: () => new Response(null, { status: 404 }) }',
          r2Buckets: Object.fromEntries([...buckets].map((name) => [name, name])),
          d1Databases: Object.fromEntries([...databases.keys()].map((id) => [id, id])),
        },
      ],
    });
  const runtime = new Miniflare(toOptions());
  const update = async () => {
    await runtime.setOptions(toOptions());
    await runtime.ready;
  };

  const workers = new Map<string, DeployedWorker>();
  return {
    id: 'account-of-the-test',
    url: `http://127.0.0.1:${port}`,
    logins: [{ id: 'account-of-the-test', name: 'The test' }],
    buckets,
    databases,
    queues: new Map(),
    workers,
    async createBucket(name) {
      buckets.add(name);
      await update();
    },
    async createDatabase(name) {
      const id = randomUUID();
      databases.set(id, name);
      await update();
      return id;
    },
    bucket: async (name) => (await runtime.getR2Bucket(name, 'storage')) as unknown as Bucket,
    database: async (id) => (await runtime.getD1Database(id, 'storage')) as unknown as Database,
    async serve(name) {
      served = workers.get(name);
      await update();
    },
    async close() {
      await runtime.dispose();
      await rm(folder, { recursive: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
