import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { maxBodyBytes } from '../../src/limits.ts';
import { goldenPath } from '../golden/golden.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';

/** Callers who send next to nothing and hold on, and one beside them who posts a photo. */
let edge: EdgeServer;
let silent: Server;
let photo: Uint8Array<ArrayBuffer>;
const sockets: Socket[] = [];

beforeAll(async () => {
  photo = new Uint8Array(await readFile(goldenPath('cat.jpg')));
  // One byte of an image, and no more.
  silent = createServer((_, response) => response.writeHead(200).write('x'));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const apiKeys = ['ann', 'bob'].map((id) => ({
    id,
    sha256: createHash('sha256').update(`key of ${id}`).digest('hex'),
    scopes: ['classify', 'batch'],
  }));
  edge = await startEdge({
    vars: { IMAGE_URL_ALLOW: toOrigin(silent) },
    secrets: { API_KEYS: JSON.stringify(apiKeys) },
  });
});
afterAll(async () => {
  await edge?.stop();
  silent?.closeAllConnections();
  silent?.close();
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

const toOrigin = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

/** A request that is begun and not ended. @returns whether the server still waits for the rest. */
async function begin(path: string, headers: string, start: string | Uint8Array = ''): Promise<() => boolean> {
  const { hostname, port, host } = new URL(edge.url);
  const socket = connect(Number(port), hostname);
  sockets.push(socket);
  let isAnswered = false;
  socket.on('data', () => (isAnswered = true));
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.write(`POST ${path} HTTP/1.1\r\nHost: ${host}\r\n${headers}\r\n\r\n`);
  await new Promise((resolve) => socket.write(start, resolve));
  return () => !isAnswered && !socket.destroyed;
}

const asJson = 'Content-Type: application/json\r\nTransfer-Encoding: chunked';
const attacks = {
  'twenty bodies that drip': () => begin('/v1/classify/json', asJson, '1\r\n \r\n'),
  'twenty that declare the most and send nothing': () =>
    begin('/v1/classify', `Content-Type: image/jpeg\r\nContent-Length: ${maxBodyBytes}`),
  'twenty that send a little of much': () =>
    begin('/v1/classify', `Content-Type: image/jpeg\r\nContent-Length: ${maxBodyBytes}`, 'x'.repeat(20_000)),
  'twenty pictures at a URL that says next to nothing': async () => {
    const body = JSON.stringify({ url: `${toOrigin(silent)}/${Math.random()}.jpg` });
    return await begin(
      '/v1/classify/json',
      `Content-Type: application/json\r\nContent-Length: ${body.length}`,
      body,
    );
  },
};

describe('A small photo', () => {
  it.each(Object.entries(attacks))('is classified beside %s', async (_, attack) => {
    const isWaiting = await Promise.all(Array.from({ length: 20 }, attack));
    const answers = [];
    for (let n = 0; n < 3; n++) {
      const response = await edge.fetch('/v1/classify?top_k=1', { method: 'POST', body: photo });
      const answer = (await response.json()) as { predictions?: { label: string }[] };
      answers.push([response.status, answer.predictions?.[0]?.label]);
    }
    expect(answers).toEqual(Array.from({ length: 3 }, () => [200, 'Egyptian cat']));
    // Otherwise nobody was in the way.
    expect(isWaiting.some((isOpen) => isOpen())).toBe(true);
  });
});

/** Bodies of one caller of which the last bytes do not come: each is held whole. */
const byAnn = 'Authorization: Bearer key of ann';
const nearlyThere = (bytes: number) => () =>
  begin(
    '/v1/classify',
    `${byAnn}\r\nContent-Type: image/jpeg\r\nContent-Length: ${bytes}`,
    new Uint8Array(bytes - 1000),
  );
const greed = {
  'six bodies of 5 MiB': Array.from({ length: 6 }, () => nearlyThere(5 * 1024 * 1024)),
  'one of 20 MiB': [nearlyThere(maxBodyBytes)],
  'two of 11 MiB and many small ones': [
    ...Array.from({ length: 2 }, () => nearlyThere(11 * 1024 * 1024)),
    ...Array.from({ length: 10 }, () => nearlyThere(1024 * 1024)),
  ],
  'a line of a batch that is nearly 20 MiB': [
    () =>
      begin(
        '/v1/batches',
        `${byAnn}\r\nContent-Type: application/x-ndjson\r\nContent-Length: ${2 * maxBodyBytes}`,
        `{"image":"${'A'.repeat(Math.floor(maxBodyBytes * 1.3))}`,
      ),
  ],
};

describe('A photo of 4 MB, larger than what counts as small,', () => {
  it.each(Object.entries(greed))('is classified beside those of another caller: %s', async (_, bodies) => {
    await Promise.all(bodies.map((start) => start()));
    // What stands behind the end of a JPEG is not read.
    const large = new Uint8Array(4e6);
    large.set(photo);
    const answers = [];
    for (let n = 0; n < 2; n++) {
      const response = await edge.fetch('/v1/classify?top_k=1', {
        method: 'POST',
        headers: { authorization: 'Bearer key of bob' },
        body: large,
      });
      const answer = (await response.json()) as { predictions?: { label: string }[]; code?: string };
      answers.push(answer.predictions?.[0]?.label ?? answer.code);
    }
    expect(answers).toEqual(['Egyptian cat', 'Egyptian cat']);
  });
});

it('A request that will not wait is answered where nobody is in its way', async () => {
  const response = await edge.fetch('/v1/classify', {
    method: 'POST',
    body: photo,
    headers: { prefer: 'wait=0' },
  });
  expect(response.status).toBe(200);
  expect(response.headers.get('preference-applied')).toBe('wait=1');
});
