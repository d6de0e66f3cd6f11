import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { projectRoot, wranglerConfigDir } from '../paths.ts';

/** The file that the package's `bin` starts in a process of its own; started directly, a signal reaches it. */
const wranglerProgram = createRequire(import.meta.url).resolve('wrangler');

/** What a run of wrangler gave. */
export interface WranglerResult {
  readonly status: number;
  readonly stdout: string;
  /** Both streams in the order in which they came, without colours: what a person would have seen. */
  readonly output: string;
}

/**
 * Runs wrangler without questions, telemetry or update checks.
 *
 * @param env over this process's environment.
 */
export async function runWrangler(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<WranglerResult> {
  const child = spawn(process.execPath, ['--no-warnings', wranglerProgram, ...args], {
    cwd: projectRoot,
    // Without a terminal on standard input wrangler asks nothing and takes its defaults.
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      WRANGLER_SEND_METRICS: 'false',
      WRANGLER_SEND_ERROR_REPORTS: 'false',
      WRANGLER_HIDE_BANNER: 'true',
      // Without the cache each command, a process of its own, compiles wrangler's 12 MB again.
      NODE_COMPILE_CACHE: join(wranglerConfigDir, '.wrangler/compile-cache'),
      // Keeps debug output out of what is parsed. Keeps bodies of requests, which hold secrets, out of wrangler's log
      // files, whatever the caller's environment says.
      WRANGLER_LOG: 'log',
      WRANGLER_LOG_SANITIZE: 'true',
      WRANGLER_CACHE_DIR: join(wranglerConfigDir, '.wrangler/cache'),
      WRANGLER_LOG_PATH: join(wranglerConfigDir, '.wrangler/logs'),
      ...env,
    },
  });
  // wrangler must end with this process, in whatever way this process ends.
  const end = () => child.kill('SIGTERM');
  process.once('exit', end);
  let stdout = '';
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const status = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  }).finally(() => process.off('exit', end));
  return { status, stdout, output: stripVTControlCharacters(output) };
}
