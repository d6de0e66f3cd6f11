import { execFileSync } from 'node:child_process';
import { projectRoot } from '../src/cli/paths.ts';

/** Vitest global setup: the Worker is bundled once, and every suite runs that bundle. */
export default function setup(): void {
  process.env['CLOUDFLARE_CF_FETCH_ENABLED'] = 'false';
  process.env['WRANGLER_SEND_METRICS'] = 'false';
  execFileSync('npm', ['run', '--silent', 'build'], {
    cwd: projectRoot,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
