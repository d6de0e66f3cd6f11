import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildRoot, checkoutBuildRoot, projectRoot } from '../paths.ts';
import { buildWeb } from './build-web.ts';
import { runWrangler } from './wrangler.ts';
import { prepareWranglerConfig } from './wrangler-config.ts';

/** The pages, the Worker as a deploy uploads it, and the Worker without onnxruntime-web. */
export type BuildTarget = 'web' | 'edge' | 'edge-engine';

/**
 * Finds a target that was built from the same sources: in this state's folder, or in the checkout's.
 *
 * @param fingerprint of the sources.
 * @returns undefined if it has to be built.
 */
export async function findBuilt(target: BuildTarget, fingerprint: string): Promise<string | undefined> {
  for (const root of new Set([buildRoot, checkoutBuildRoot])) {
    const builtFrom = await readFile(toStampPath(root, target), 'utf8').catch(() => undefined);
    if (builtFrom === fingerprint) return join(root, target);
  }
  return undefined;
}

/**
 * Builds a target into a new folder, which then replaces the old one. A reader sees either the whole old one or the whole
 * new one.
 *
 * @param webFolder where the pages lie, for the targets that carry them.
 * @returns its folder.
 * @throws {Error} with wrangler's own words.
 */
export async function buildTarget(
  target: BuildTarget,
  fingerprint: string,
  webFolder: string,
): Promise<string> {
  const folder = join(buildRoot, target);
  const stamp = toStampPath(buildRoot, target);
  const fresh = join(buildRoot, `.${target}-${process.pid}`);
  await mkdir(fresh, { recursive: true });
  try {
    await build(target, fresh, webFolder);
    await rm(stamp, { force: true });
    await rm(folder, { recursive: true, force: true });
    await rename(fresh, folder);
    await writeFile(stamp, fingerprint);
    return folder;
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    // Another process that built the same may have put it there first.
    const built = await findBuiltSoon(target, fingerprint);
    if (built === undefined) throw error;
    return built;
  }
}

async function build(target: BuildTarget, folder: string, webFolder: string): Promise<void> {
  if (target === 'web') return await buildWeb(folder);
  const config = await prepareWranglerConfig(webFolder);
  const entry = target === 'edge-engine' ? [join(projectRoot, 'functions/edge-engine.ts')] : [];
  const { status, output } = await runWrangler(
    ['deploy', ...entry, '--dry-run', '--env=', '--outdir', folder, '--config', config],
    { WRANGLER_WRITE_LOGS: 'false' },
  );
  if (status !== 0) throw new Error(`wrangler could not build the Worker:\n${output.trim()}`);
}

async function findBuiltSoon(target: BuildTarget, fingerprint: string): Promise<string | undefined> {
  for (let attempt = 0; attempt < 10; attempt++) {
    const built = await findBuilt(target, fingerprint);
    if (built !== undefined) return built;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return undefined;
}

const toStampPath = (root: string, target: BuildTarget) => join(root, `${target}.sha256`);
