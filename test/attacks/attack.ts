import { connect } from 'node:net';

/** Where an attack goes, and what it may use. */
export interface Target {
  /** `http://127.0.0.1:PORT`. */
  readonly origin: string;
  /** A server of the attacker's, from which the target may fetch: it begins an answer and never ends it. */
  readonly silentOrigin: string;
  /** Aborted when the attack is over. */
  readonly signal: AbortSignal;
}

export interface Attack {
  readonly name: string;
  /** Whether the one beside it posts photos of 4 MB, with a key of their own; else small ones. */
  readonly isAgainstLargePhotos?: boolean;
  /** Goes on until the signal; it may end earlier, and is then begun again. */
  run(target: Target): Promise<void>;
}

/** A request as bytes on a connection. It is ended with the attack, or when the target has answered or hung up. */
export async function holdConnection(
  { origin, signal }: Target,
  head: string,
  drip?: { readonly text: string; readonly everyMs: number },
  start?: Uint8Array,
): Promise<void> {
  const { hostname, port } = new URL(origin);
  const socket = connect(Number(port), hostname);
  let timer: NodeJS.Timeout | undefined;
  await new Promise<void>((resolve) => {
    const end = () => {
      clearInterval(timer);
      socket.destroy();
      resolve();
    };
    signal.addEventListener('abort', end, { once: true });
    socket.on('error', end);
    socket.on('close', end);
    socket.on('data', end);
    socket.on('connect', () => {
      socket.write(head);
      if (start) socket.write(start);
      if (drip) timer = setInterval(() => socket.write(drip.text), drip.everyMs);
    });
  });
}

/** Keys of the attacker and of the one beside. */
export const keys = { attacker: 'key of the attacker', victim: 'key of the one beside' } as const;

/** So many at once, each again as soon as it has ended. */
export async function keepBusy(
  { signal }: Target,
  count: number,
  work: () => Promise<unknown>,
): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, async () => {
      while (!signal.aborted) {
        await work().catch(() => undefined);
        // An attacker who is refused at once does not spin.
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }),
  );
}

/** Head of a POST request, without its last line. */
export function toHead(path: string, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries({ host: '127.0.0.1', ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return `POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}
