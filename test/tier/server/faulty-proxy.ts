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
    // What is left of a request that was answered early is read, as the tier does: see `garbage`.
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
      // At once, but without an end before that of the upload. workerd's HTTP client ends an upload that was
      // overtaken by a whole answer as if it were complete, and sends its next request on that connection. If the
      // other side has stopped to read there, that request waits: the tier's next one until NODE_TIER_CONNECT_MS.
      // But in tests all that a Worker fetches goes through miniflare's loopback server. It hands the upload to
      // Node's fetch, which drops it when the answer ends, and keeps the connection, unread, for five minutes;
      // the next request on it may be the queue's own line of log, which the consumer waits for.
      answer.writeHead(200, { 'content-type': 'application/x-ndjson' });
      answer.write('<html>not a result</html>\n');
      incoming.on('end', () => answer.end()).resume();
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
    result.on('error', () => breakOff(incoming, answer));
    if (fault !== 'dies') {
      result.pipe(answer);
      return;
    }
    result.once('data', (chunk) => {
      answer.write(chunk);
      setTimeout(() => {
        breakOff(incoming, answer);
        upstream.destroy();
      }, 50);
    });
  });
  upstream.on('error', () => breakOff(incoming, answer));
  incoming.pipe(upstream);
}

/** Breaks the connection, but not before the upload has come: otherwise it is left unread, see `garbage`. */
function breakOff(incoming: IncomingMessage, answer: ServerResponse): void {
  incoming.unpipe().resume();
  if (incoming.readableEnded) answer.destroy();
  else incoming.once('end', () => answer.destroy());
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
