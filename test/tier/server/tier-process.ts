import { type ChildProcess, spawn } from 'node:child_process';
import { assetsDir, projectRoot } from '../../../src/cli/paths.ts';

export interface TierProcess {
  readonly url: string;
  readonly secret: string;
  readonly child: ChildProcess;
  /** What it has written to its log and to standard error. */
  output(): string;
  fetch(path: string, init?: RequestInit): Promise<Response>;
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

const secret = 'a secret of the tests';

/** `functions/batch.ts` as it is, in a process of its own, on a free port. */
export async function startTier(env: NodeJS.ProcessEnv = {}): Promise<TierProcess> {
  const tier = spawnTier(env);
  const url = await tier.listening;
  return {
    url,
    secret: secret.replaceAll(' ', '-'),
    child: tier.child,
    output: tier.output,
    fetch: (path, init = {}) =>
      fetch(`${url}${path}`, {
        signal: AbortSignal.timeout(60_000),
        ...init,
        headers: { authorization: `Bearer ${secret.replaceAll(' ', '-')}`, ...init.headers },
      }),
    stop: async (signal = 'SIGTERM') => {
      if (tier.child.exitCode === null && tier.child.signalCode === null) {
        tier.child.kill(signal);
        await tier.exited;
      }
      return tier.child.exitCode;
    },
  };
}

/** A start that may fail. */
export function spawnTier(env: NodeJS.ProcessEnv) {
  const child = spawn(process.execPath, ['functions/batch.ts'], {
    cwd: projectRoot,
    env: {
      ...process.env,
      TIER_PORT: '0',
      TIER_MODELS_DIR: assetsDir,
      TIER_SECRET: secret.replaceAll(' ', '-'),
      ...env,
    },
  });
  let text = '';
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const listening = new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      text += chunk;
      const port = /"listening".*"port":(\d+)/.exec(text)?.[1];
      if (port) resolve(`http://127.0.0.1:${port}`);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    void exited.then((code) => reject(new Error(`the tier ended with ${code}: ${text}`)));
  });
  listening.catch(() => undefined);
  return { child, exited, listening, output: () => text };
}
