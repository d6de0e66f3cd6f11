import { createServer } from 'node:net';

/**
 * The port that an environment variable names, once it is certain that it can be had: wrangler would take
 * another one in silence. Ends the process with one sentence and 1 where it cannot.
 *
 * @param variable such as `PORT`. @param script npm's, for the advice.
 * @returns 0 to 65535; 0 is any free port.
 */
export async function readFreePort(variable: string, fallback: number, script: string): Promise<number> {
  const value = process.env[variable];
  const port = Number(value ?? fallback);
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    fail(`${variable} must be a port number, got "${value}".`);
  }
  await new Promise<void>((resolve) => {
    const probe = createServer();
    probe.once('error', ({ code }: NodeJS.ErrnoException) => {
      const why = code === 'EADDRINUSE' ? 'is in use' : `cannot be had (${code})`;
      fail(`Port ${port} ${why}. Choose another: ${variable}=${port + 1} npm ${script}`);
    });
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve()));
  });
  return port;
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
