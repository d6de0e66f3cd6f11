import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream as NodeReadableStream } from 'node:stream/web';

/** The part of a local R2 bucket that is served. */
export interface ReadableBucket {
  get(key: string): Promise<{ readonly size: number; readonly body: ReadableStream<Uint8Array> } | null>;
}

export interface BucketServer {
  /** Variables with which the Node tier reads models: see src/tier/server/tier-config.ts. */
  readonly variables: Readonly<Record<string, string>>;
  stop(): void;
}

/**
 * Serves the local bucket on loopback as read-only S3, so that the Node tier too has the versions of `models push --local`.
 * The bucket's name is a secret of this run, and signatures are not checked.
 */
export async function serveBucket(bucket: ReadableBucket): Promise<BucketServer> {
  const name = randomBytes(16).toString('hex');
  const server = createServer((request, response) => {
    const [, given, ...rest] = new URL(request.url ?? '/', 'http://localhost').pathname.split('/');
    if (request.method !== 'GET' || given !== name) return void response.writeHead(404).end();
    answer(bucket, rest.map(decodeURIComponent).join('/'), response).catch(() => {
      if (response.headersSent) response.destroy();
      else response.writeHead(503).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A server that listens on a port has an address with one.
  const { port } = server.address() as AddressInfo;
  return {
    variables: {
      TIER_S3_ENDPOINT: `http://127.0.0.1:${port}`,
      TIER_S3_BUCKET: name,
      TIER_S3_ACCESS_KEY_ID: 'local',
      TIER_S3_SECRET_ACCESS_KEY: 'local',
    },
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answer(bucket: ReadableBucket, key: string, response: ServerResponse): Promise<void> {
  const object = await bucket.get(key);
  if (!object) return void response.writeHead(404).end();
  response.writeHead(200, { 'content-length': object.size });
  await pipeline(Readable.fromWeb(object.body as NodeReadableStream<Uint8Array>), response);
}
