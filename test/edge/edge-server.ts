import { createTestHarness } from 'wrangler';
import { verifyAssets } from '../../src/cli/assets.ts';
import { buildDir, projectRoot } from '../../src/cli/paths.ts';
import { putMissing, type SeedBucket } from '../../src/cli/seed-models.ts';

/** The built Worker in a workerd of its own: a fresh isolate, an empty R2 bucket. */
export interface EdgeServer {
  readonly url: string;
  readonly models: SeedBucket;
  /** `fetch` on the server with a timeout; `path` starts with a slash. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Lines the Worker logged, parsed. */
  logs(): Record<string, unknown>[];
  stop(): Promise<void>;
}

export async function startEdge({
  seed = true,
  configPath = './wrangler.toml',
  vars = {} as Record<string, string>,
  secrets = {} as Record<string, string>,
  workerDir = buildDir,
} = {}): Promise<EdgeServer> {
  const harness = createTestHarness({
    root: projectRoot,
    // Open to everyone, and asked each question anew, unless a test says otherwise.
    workers: [
      {
        configPath,
        vars: { PUBLIC_SCOPES: 'classify,batch,admin', ANSWER_CACHE_SECONDS: '0', ...vars },
        secrets,
        prebuiltWorkerDir: workerDir,
      },
    ],
  });
  const url = (await harness.listen()).url.origin;
  const { MODELS: models } = await harness.getWorker<{ MODELS: SeedBucket }>().getEnv();
  if (seed) await putMissing(models, await verifyAssets());
  return {
    url,
    models,
    fetch: (path, init) => fetch(`${url}${path}`, { signal: AbortSignal.timeout(30_000), ...init }),
    logs: () =>
      harness.getLogs().flatMap(({ message }) => {
        try {
          return [JSON.parse(message)];
        } catch {
          return [];
        }
      }),
    stop: () => harness.close(),
  };
}
