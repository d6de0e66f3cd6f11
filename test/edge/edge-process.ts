import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { projectRoot } from '../../src/cli/paths.ts';

export interface EdgeProcess {
  readonly url: string;
  /** Of the process, and of the group of all that it starts. */
  readonly pid: number;
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Ends it as a power cut would, workerd included. */
  kill(): Promise<void>;
  /** @returns the exit code after a SIGTERM. */
  stop(): Promise<number | null>;
}

/** `npm start` or `npm run start:all` as a process of its own. @param env with the folder of its state. */
export async function startEdgeProcess(
  env: Readonly<Record<string, string>>,
  command: 'start' | 'start:all' = 'start',
): Promise<EdgeProcess> {
  const port = await freePort();
  const child = spawn(
    process.execPath,
    ['src/cli/main.ts', command],
    // A group of its own, so that what it starts ends with it.
    { cwd: projectRoot, env: { ...process.env, PORT: String(port), ...env }, detached: true },
  );
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  let text = '';
  await new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      text += chunk;
      if (text.includes('is ready on')) resolve();
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    void exited.then((code) => reject(new Error(`the edge ended with ${code}: ${text}`)));
  });
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    pid: child.pid ?? 0,
    fetch: (path, init) => fetch(`${url}${path}`, { signal: AbortSignal.timeout(30_000), ...init }),
    kill: async () => {
      if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, 'SIGKILL');
      await exited;
    },
    stop: async () => {
      child.kill('SIGTERM');
      return await exited;
    },
  };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
