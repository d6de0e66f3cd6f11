import { createServer } from 'node:net';
import { UsageError } from '../command-line/usage-error.ts';

/**
 * A port that can be had.
 *
 * @param value what was typed, or stands in the environment.
 * @param name of the option or variable, for the message.
 * @returns 0 to 65535; 0 is any free port.
 * @throws {UsageError} if it is not a port's number.
 * @throws {Error} if it is taken: the local runtime would say so less clearly.
 */
export async function readFreePort(value: string, name: string): Promise<number> {
  const port = /^\d{1,5}$/.test(value) ? Number(value) : Number.NaN;
  if (!(port <= 65_535)) throw new UsageError(`${name} must be a port number, got "${value}".`);
  await new Promise<void>((resolve, reject) => {
    const probe = createServer();
    probe.once('error', ({ code }: NodeJS.ErrnoException) => {
      const why = code === 'EADDRINUSE' ? 'is in use' : `cannot be had (${code})`;
      reject(new Error(`Port ${port} ${why}. Choose another: ${name}=${port + 1}`));
    });
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve()));
  });
  return port;
}
