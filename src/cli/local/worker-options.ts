import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { committedConfig } from '../build/wrangler-config.ts';
import { buildRoot } from '../paths.ts';

/**
 * wrangler.toml in miniflare's terms, without the code: plain data, kept so that a later start needs no wrangler.
 * Named are the parts that are read here; the others are handed on.
 */
export interface WorkerOptions {
  readonly bindings: Readonly<Record<string, string>>;
  readonly r2Buckets: Record<string, { id: string }>;
  readonly kvNamespaces: Record<string, { id: string }>;
  readonly d1Databases: Record<string, { id: string }>;
  readonly assets?: { readonly directory: string };
}

/** @param fingerprint of the sources, wrangler.toml among them. */
export async function readWorkerOptions(fingerprint: string): Promise<WorkerOptions> {
  const path = join(buildRoot, 'worker-options.json');
  const kept = await readFile(path, 'utf8').catch(() => undefined);
  if (kept !== undefined) {
    const { fingerprint: keptFor, options } = JSON.parse(kept);
    if (keptFor === fingerprint) return options;
  }
  // wrangler takes more than a second to import.
  const { unstable_getMiniflareWorkerOptions, unstable_readConfig } = await import('wrangler');
  const { vars } = unstable_readConfig({ config: committedConfig }, { hideWarnings: true });
  const { modulesRules, ...rest } = unstable_getMiniflareWorkerOptions(committedConfig).workerOptions;
  // The variables as committed: what .dev.vars and the environment say is read at each start, and kept nowhere.
  const options = { ...(rest as Omit<WorkerOptions, 'bindings'>), bindings: vars };
  await mkdir(buildRoot, { recursive: true });
  await writeFile(path, JSON.stringify({ fingerprint, options }));
  return options;
}
