import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Fault =
  | 'none'
  | 'down'
  | 'silent'
  | 'status-500'
  | 'busy'
  | 'garbage'
  | 'wrong-secret'
  /** Passes the first results on, then the connection breaks. */
  | 'dies'
  /** Accepts, and breaks the connection, whenever the poison is among the images. */
  | 'dies-of-poison';

export const poison = 'POISON-OF-THE-TIER';

export interface FaultyProxy {
  readonly url: string;
  /** Where the tier is; it may come back elsewhere. */
  target: string;
  fault: Fault;
  /** Requests for a chunk that came in. */
  requests: number;
  close(): Promise<void>;
}

/** Stands between the edge and the real tier, and breaks what it is told to. */
export async function startFaultyProxy(target: string): Promise<FaultyProxy> {
  const server = createServer((incoming, answer) => {
    proxy.requests++;
    incoming.on('error', () => undefined);
    // An answer may come before the whole request was read. Left unread, Node keeps the connection open for
    // a minute or more, and workerd's local network the queue's consumer with it.
    answer.on('finish', () => incoming.unpipe().resume());
    misbehave(proxy.fault, incoming, answer, proxy.target);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const proxy: FaultyProxy = {
    url: `http://127.0.0.1:${port}`,
    target,
    fault: 'none',
    requests: 0,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}

function misbehave(fault: Fault, incoming: IncomingMessage, answer: ServerResponse, target: string): void {
  switch (fault) {
    case 'down':
      incoming.destroy();
      break;
    case 'silent':
      incoming.resume();
      break;
    case 'status-500':
      refuse(answer, 500);
      break;
    case 'busy':
      refuse(answer, 503, { 'retry-after': '2' });
      break;
    case 'garbage':
      answer.writeHead(200, { 'content-type': 'application/x-ndjson' });
      answer.end('<html>not a result</html>\n');
      break;
    case 'dies-of-poison':
      void dieOfPoison(incoming, answer, target);
      break;
    default:
      passOn(fault, incoming, answer, target);
  }
}

function passOn(fault: Fault, incoming: IncomingMessage, answer: ServerResponse, target: string): void {
  const { method, url } = incoming;
  const headers = { ...incoming.headers };
  if (fault === 'wrong-secret') headers.authorization = 'Bearer something-else-entirely';
  const upstream = request(new URL(url!, target), { method, headers }, (result) => {
    answer.writeHead(result.statusCode!, result.headers);
    result.on('error', () => answer.destroy());
    if (fault !== 'dies') {
      result.pipe(answer);
      return;
    }
    result.once('data', (chunk) => {
      answer.write(chunk);
      setTimeout(() => {
        answer.destroy();
        upstream.destroy();
      }, 50);
    });
  });
  upstream.on('error', () => answer.destroy());
  incoming.pipe(upstream);
}

async function dieOfPoison(incoming: IncomingMessage, answer: ServerResponse, target: string): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const { method, headers } = incoming;
  if (body.includes(poison)) {
    answer.writeHead(200, { 'content-type': 'application/x-ndjson' });
    answer.flushHeaders();
    setTimeout(() => answer.destroy(), 50);
    return;
  }
  const upstream = request(new URL(incoming.url!, target), { method, headers }, (result) => {
    answer.writeHead(result.statusCode!, result.headers);
    result.pipe(answer);
  });
  upstream.on('error', () => answer.destroy());
  upstream.end(body);
}

function refuse(answer: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  answer.writeHead(status, { 'content-type': 'application/problem+json', ...headers });
  answer.end('{}');
}
