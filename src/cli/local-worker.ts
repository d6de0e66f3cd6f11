import { join } from 'node:path';
import { unstable_startWorker } from 'wrangler';
import { buildWeb } from './build-web.ts';
import { migrateLocalBatches } from './migrate-batches.ts';
import { projectRoot, stateDir } from './paths.ts';
import { seedLocalModels } from './seed-models.ts';

export interface LocalWorker {
  /** Origin without a trailing slash, for example `http://127.0.0.1:8787`. */
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Seeds the local R2 bucket and starts the Worker in wrangler's local runtime (workerd): no login,
 * no network, no telemetry. Resolves when the default model answers.
 *
 * @param port 0 takes any free port.
 * @param variables over those of wrangler.toml and of this process, see `passedOn`.
 * @throws {Error} if the Worker is not ready within a minute.
 */
export async function startLocalWorker(
  port: number,
  variables: Readonly<Record<string, string>> = {},
): Promise<LocalWorker> {
  process.env['WRANGLER_SEND_METRICS'] = 'false';
  process.env['CLOUDFLARE_CF_FETCH_ENABLED'] = 'false';
  await buildWeb();
  await seedLocalModels();
  await migrateLocalBatches();
  const worker = await unstable_startWorker({
    config: join(projectRoot, 'wrangler.toml'),
    bindings: toBindings({ ...localDefaults, ...readPassedOn(), ...variables }),
    dev: {
      server: { hostname: '127.0.0.1', port },
      persist: stateDir,
      inspector: false,
      watch: false,
      logLevel: 'warn',
    },
  });
  try {
    const url = (await worker.url).origin;
    await waitUntilReady(url);
    return { url, stop: () => worker.dispose() };
  } catch (error) {
    await worker.dispose();
    throw error;
  }
}

/** A service on this machine, for whoever sits at it: unless told otherwise no key is needed and nothing is rationed. */
const localDefaults = {
  PUBLIC_SCOPES: 'classify,batch,admin',
  RATE_LIMIT_REQUESTS: '0',
  UPLOAD_TOKEN_SECRET: crypto.randomUUID(),
  // After a restart nothing is on its way: a minute without progress is enough to send a chunk again.
  BATCH_STALL_SECONDS: '60',
};

/** Variables of the Worker that may be set in this process's environment. */
const passedOn = new RegExp(
  '^((NODE_TIER|BATCH|WEBHOOK|OBJECT|RATE_LIMIT)_[A-Z_]+|API_KEYS|PUBLIC_SCOPES|UPLOAD_TOKEN_SECRET|' +
    'IMAGE_URL_ALLOW|CORS_ORIGINS|MODEL_ALIASES|ANSWER_CACHE_SECONDS|CATALOG_TTL_SECONDS|SERVER_TIMING|ENGINE_KERNELS)$',
);

function readPassedOn(): Record<string, string> {
  const secrets = readSecretNames(process.env['WEBHOOK_SOURCES'] ?? '');
  const entries = Object.entries(process.env).filter(
    ([name]) => passedOn.test(name) || secrets.includes(name),
  );
  return Object.fromEntries(entries) as Record<string, string>;
}

/** Secrets that sources of webhooks name as they like; what is wrong with the list, the Worker says. */
function readSecretNames(sources: string): readonly unknown[] {
  try {
    return (JSON.parse(sources) as { readonly secrets?: readonly unknown[] }[]).flatMap(
      ({ secrets }) => secrets ?? [],
    );
  } catch {
    return [];
  }
}

function toBindings(variables: Readonly<Record<string, string>>) {
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [name, { type: 'plain_text' as const, value }]),
  );
}

async function waitUntilReady(url: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const answer = await fetch(`${url}/v1/health/ready`, { signal: AbortSignal.timeout(30_000) }).catch(
      (error: unknown) => error,
    );
    if (answer instanceof Response && answer.ok) return;
    const { code, detail } = answer instanceof Response ? await readProblem(answer) : { detail: `${answer}` };
    // What is configured wrongly does not mend itself.
    if (code === 'configuration_invalid' || code === 'access_not_configured' || Date.now() > deadline)
      throw new Error(`The Worker is not ready: ${detail}`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

async function readProblem(answer: Response): Promise<{ readonly code?: string; readonly detail: string }> {
  const text = await answer.text();
  try {
    return JSON.parse(text);
  } catch {
    return { detail: text };
  }
}
