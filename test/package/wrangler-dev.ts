import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A project's own `wrangler dev`. */
export interface WranglerDev {
  fetch(path: string, body: Uint8Array): Promise<Response>;
  stop(): Promise<void>;
}

/**
 * Starts it on a free port.
 *
 * @param entry the Worker, from the project's folder.
 * @throws {Error} with its output if it ends, or is not ready within two minutes.
 */
export async function startWranglerDev(project: string, entry: string): Promise<WranglerDev> {
  const child = spawn('npx', ['wrangler', 'dev', entry, '--port', '0', '--ip', '127.0.0.1'], {
    cwd: project,
    stdio: ['ignore', 'pipe', 'pipe'],
    // Its own process group: npx does not pass signals on.
    detached: true,
    env: { ...process.env, WRANGLER_SEND_METRICS: 'false', CLOUDFLARE_CF_FETCH_ENABLED: 'false', CI: 'true' },
  });
  const url = await readUrl(child);
  return {
    fetch: async (path, body) =>
      await fetch(new URL(path, url), {
        method: 'POST',
        body: new Uint8Array(body),
        signal: AbortSignal.timeout(60_000),
      }),
    async stop() {
      if (child.exitCode !== null || child.pid === undefined) return;
      process.kill(-child.pid, 'SIGTERM');
      await once(child, 'exit');
    },
  };
}

async function readUrl(child: ChildProcess): Promise<string> {
  let output = '';
  return await new Promise((resolve, reject) => {
    const fail = (reason: string) => reject(new Error(`wrangler dev ${reason}:\n${output.slice(-3000)}`));
    const timer = setTimeout(() => fail('is not ready'), 120_000);
    child.once('exit', () => fail('has ended'));
    const read = (chunk: Buffer) => {
      output += chunk;
      const url = /Ready on (http:\/\/127\.0\.0\.1:\d+)/.exec(output)?.[1];
      if (url === undefined) return;
      clearTimeout(timer);
      resolve(url);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
  });
}
