import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { projectRoot, wranglerConfigDir } from '../paths.ts';

/** The deployment's configuration, as it is committed. */
export const committedConfig = join(projectRoot, 'wrangler.toml');

/** The parts of an environment of wrangler.toml that name paths. */
interface RawEnvironment {
  readonly main?: string;
  readonly alias?: Readonly<Record<string, string>>;
  readonly assets?: object;
  readonly d1_databases?: readonly { readonly migrations_dir?: string }[];
}

/**
 * The configuration that wrangler is to be run with. wrangler writes its temporary files beside it, so where
 * RESNET_EDGE_STATE_DIR is set, a copy with absolute paths is written there.
 *
 * @param webFolder where the pages lie that are served as assets.
 * @returns an absolute path.
 */
export async function prepareWranglerConfig(webFolder: string): Promise<string> {
  if (wranglerConfigDir === projectRoot) return committedConfig;
  // wrangler takes more than a second to import.
  const { experimental_readRawConfig } = await import('wrangler');
  const { rawConfig }: { rawConfig: RawEnvironment & { readonly env?: Record<string, RawEnvironment> } } =
    experimental_readRawConfig({ config: committedConfig });
  const { env = {}, ...production } = rawConfig;
  const moved = {
    ...moveEnvironment(production, webFolder),
    env: Object.fromEntries(
      Object.entries(env).map(([name, environment]) => [name, moveEnvironment(environment, webFolder)]),
    ),
  };
  await mkdir(wranglerConfigDir, { recursive: true });
  const path = join(wranglerConfigDir, 'wrangler.json');
  await writeFile(path, `${JSON.stringify(moved, undefined, 2)}\n`);
  return path;
}

/** Every path of an environment made absolute. */
function moveEnvironment(environment: RawEnvironment, webFolder: string): RawEnvironment {
  const { main, alias, assets, d1_databases: databases } = environment;
  const fromProject = createRequire(committedConfig);
  return {
    ...environment,
    ...(main && { main: resolve(projectRoot, main) }),
    ...(alias && {
      alias: Object.fromEntries(Object.entries(alias).map(([from, to]) => [from, fromProject.resolve(to)])),
    }),
    ...(assets && { assets: { ...assets, directory: webFolder } }),
    ...(databases && {
      d1_databases: databases.map(({ migrations_dir: dir, ...database }) => ({
        ...database,
        ...(dir && { migrations_dir: resolve(projectRoot, dir) }),
      })),
    }),
  };
}
