import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { buildTarget, findBuilt } from '../build/build-target.ts';
import { fingerprintSources } from '../build/source-fingerprint.ts';
import { NotReadyError, waitUntilReady } from '../wait-until-ready.ts';
import type { ReadableBucket } from './bucket-server.ts';
import { readLocalVariables } from './local-variables.ts';
import { persistenceDir, prepareStorage } from './prepare-storage.ts';
import { type Steps, silentSteps } from './steps.ts';
import { sweepRegularly } from './sweep-regularly.ts';
import { type ShownLogs, showLog } from './worker-logs.ts';
import { readWorkerOptions } from './worker-options.ts';

export interface LocalWorker {
  /** Origin without a trailing slash, for example `http://127.0.0.1:8787`. */
  readonly url: string;
  stop(): Promise<void>;
}

export interface LocalWorkerOptions {
  /** 0 takes any free port. */
  readonly port: number;
  /** Over those of wrangler.toml and of this process, see `readLocalVariables`. */
  readonly variables?: Readonly<Record<string, string>>;
  readonly steps?: Steps;
  /** One line of standard output for each request. */
  readonly showRequests?: boolean;
  /** Given the local bucket of models once it is seeded, before the default model answers. */
  readonly onBucket?: (bucket: ReadableBucket) => Promise<void>;
}

const readyWithinMs = 60_000;

/**
 * Starts the Worker in the local runtime (workerd): the same bundle that a deploy uploads, without a login, network or
 * telemetry. Builds, seeds and migrates if something is not up to date. Resolves when the default model answers.
 *
 * @throws {Error} if the Worker is not ready within a minute.
 */
export async function startLocalWorker({
  port,
  variables = {},
  steps = silentSteps,
  showRequests = false,
  onBucket,
}: LocalWorkerOptions): Promise<LocalWorker> {
  const { web, edge, options } = await build(steps);
  const wasm = (await readdir(edge)).filter((file) => file.endsWith('.wasm'));
  const { Log, LogLevel, Miniflare, convertV4MiniflareOptions } = await import('miniflare');
  // Until the Worker is ready, only the runtime's log is shown, because the readiness check reports the Worker's error.
  let shown: ShownLogs = 'runtime';
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      ...options,
      modulesRoot: edge,
      modules: [
        { type: 'ESModule', path: join(edge, 'edge.js') },
        ...wasm.map((file) => ({ type: 'CompiledWasm' as const, path: join(edge, file) })),
      ],
      ...(options.assets && { assets: { ...options.assets, directory: web } }),
      bindings: { ...options.bindings, ...readLocalVariables(), ...variables },
      host: '127.0.0.1',
      port,
      cf: false,
      telemetry: { enabled: false },
      resourcePersistencePath: persistenceDir,
      log: new Log(LogLevel.WARN),
      handleStructuredLogs: ({ level, message }) => showLog(message, level, shown),
    }),
  );
  try {
    const url = (await steps.run('Start workerd', async () => await miniflare.ready)).origin;
    await prepareStorage(miniflare, options, steps);
    // miniflare's types are those of workers-types; a reader needs a part of them.
    await onBucket?.((await miniflare.getR2Bucket('MODELS')) as unknown as ReadableBucket);
    await steps.run('Load the default model', async () => await loadDefaultModel(url));
    shown = showRequests ? 'requests' : 'errors';
    sweepRegularly(miniflare);
    return { url, stop: () => miniflare.dispose() };
  } catch (error) {
    await miniflare.dispose();
    throw error;
  }
}

/** The folders of pages and Worker, built if the sources have changed, and wrangler.toml for miniflare. */
async function build(steps: Steps) {
  const fingerprint = await fingerprintSources();
  const web =
    (await findBuilt('web', fingerprint)) ??
    (await steps.run('Build the pages', async () => await buildTarget('web', fingerprint, '')));
  const built = await findBuilt('edge', fingerprint);
  if (built !== undefined) return { web, edge: built, options: await readWorkerOptions(fingerprint) };
  // Both at the same time, on two cores.
  const [edge, options] = await steps.run(
    'Build the Worker (only when its sources have changed)',
    async () => await Promise.all([buildTarget('edge', fingerprint, web), readWorkerOptions(fingerprint)]),
  );
  return { web, edge, options };
}

/** @throws {Error} with advice. */
async function loadDefaultModel(url: string): Promise<void> {
  try {
    await waitUntilReady(url, { withinMs: readyWithinMs, pollMs: 100 });
  } catch (error) {
    if (!(error instanceof NotReadyError && error.code?.startsWith('model_'))) throw error;
    throw new Error(`${error.message}\nA fresh local store may help: remove ${persistenceDir}`, {
      cause: error,
    });
  }
}
