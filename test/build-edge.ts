import { execFileSync } from 'node:child_process';
import { cpSync, renameSync, rmSync } from 'node:fs';
import { basename } from 'node:path';
import { buildDir, engineBuildDir, projectRoot } from '../src/cli/paths.ts';

/**
 * The Worker without onnxruntime-web under the name of the whole one, so that every configuration takes it. workerd starts
 * it in a third of the time.
 */
export const lightBuildDir = `${buildDir}-light`;

/** Vitest global setup: the Worker is bundled once, and every suite runs that bundle. */
export default function setup(): void {
  process.env['CLOUDFLARE_CF_FETCH_ENABLED'] = 'false';
  process.env['WRANGLER_SEND_METRICS'] = 'false';
  execFileSync('npm', ['run', '--silent', 'build'], {
    cwd: projectRoot,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  rmSync(lightBuildDir, { recursive: true, force: true });
  cpSync(engineBuildDir, lightBuildDir, { recursive: true });
  const [light, whole] = [basename(engineBuildDir), basename(buildDir)];
  renameSync(`${lightBuildDir}/${light}.js`, `${lightBuildDir}/${whole}.js`);
}
