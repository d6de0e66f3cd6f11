import { orderDatabaseBindings } from '../../jobs/batch/database-bindings.ts';
import { committedConfig } from '../build/wrangler-config.ts';
import { UsageError } from '../command-line/usage-error.ts';

/** Environments that wrangler.toml describes. `production` is its top level. */
export const environments = ['production', 'staging'] as const;
export type EnvironmentName = (typeof environments)[number];

/** The parts of wrangler's configuration that are read here. */
interface WranglerConfig {
  readonly name?: string;
  readonly r2_buckets: readonly { readonly binding: string; readonly bucket_name?: string }[];
  readonly d1_databases: readonly { readonly binding: string; readonly database_name?: string }[];
  readonly queues: {
    readonly producers?: readonly { readonly queue?: string }[];
    readonly consumers?: readonly { readonly queue: string; readonly dead_letter_queue?: string }[];
  };
}

/** What an environment of wrangler.toml consists of, by name. */
export interface Deployment {
  /** The name of the Worker. */
  readonly name: string;
  readonly modelsBucket: string;
  readonly buckets: readonly string[];
  /** Of batches, in the order of their numbers; none where there are no batches. */
  readonly databases: readonly string[];
  /** Queues that it sends to, receives from, or gives up into. */
  readonly queues: readonly string[];
}

/** @throws {UsageError} if there is no such environment. */
export function parseEnvironment(name: string): EnvironmentName {
  const found = environments.find((environment) => environment === name);
  if (found) return found;
  throw new UsageError(`--env must be ${environments.join(' or ')}, got "${name}".`);
}

/** How wrangler calls it: its top level is the empty name, and saying so keeps it from warning. */
export const toWranglerEnv = (environment: EnvironmentName): string =>
  environment === 'production' ? '' : environment;

/** The entry point, as an argument of wrangler; none is that of wrangler.toml. */
export const toEntry = (engineOnly: boolean): readonly string[] =>
  engineOnly ? ['functions/edge-engine.ts'] : [];

/**
 * @param path of wrangler.toml.
 * @throws {Error} if wrangler.toml lacks what every deployment needs, or numbers its databases wrongly.
 */
export async function readDeployment(
  environment: EnvironmentName,
  path: string = committedConfig,
): Promise<Deployment> {
  // wrangler takes more than a second to import.
  const { unstable_readConfig } = await import('wrangler');
  const config: WranglerConfig = unstable_readConfig(
    { config: path, env: toWranglerEnv(environment) },
    { hideWarnings: true },
  );
  const { name, r2_buckets: bound, d1_databases: databases, queues } = config;
  const modelsBucket = bound.find(({ binding }) => binding === 'MODELS')?.bucket_name;
  if (name === undefined || modelsBucket === undefined) {
    throw new Error('wrangler.toml must have a name and a bucket that is bound to MODELS.');
  }
  return {
    name,
    modelsBucket,
    buckets: bound.flatMap(({ bucket_name: bucket }) => bucket ?? []),
    databases: readDatabaseNames(databases),
    queues: [
      ...new Set([
        ...(queues.producers ?? []).flatMap(({ queue }) => queue ?? []),
        ...(queues.consumers ?? []).flatMap(({ queue, dead_letter_queue: dead }) =>
          [queue, dead ?? []].flat(),
        ),
      ]),
    ],
  };
}

function readDatabaseNames(bound: WranglerConfig['d1_databases']): readonly string[] {
  const names = orderDatabaseBindings(bound.map(({ binding }) => binding)).map((name) => {
    const database = bound.find(({ binding }) => binding === name)?.database_name;
    if (database !== undefined) return database;
    throw new Error(`wrangler.toml must give the database of ${name} a database_name.`);
  });
  if (new Set(names).size === names.length) return names;
  throw new Error('wrangler.toml binds one database twice: batches in it would be listed twice.');
}
