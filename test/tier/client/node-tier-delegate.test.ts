import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { maxTierAnswerBytes } from '../../../src/limits.ts';
import { parseManifest } from '../../../src/model/manifest.ts';
import { createNodeTierDelegate } from '../../../src/tier/client/node-tier-delegate.ts';
import { assetPath } from '../../golden/golden.ts';

const manifest = parseManifest(
  JSON.parse(await readFile(assetPath('resnet18-imagenet1k/3/manifest.json'), 'utf8')),
);
let server: Server;
afterEach(() => server.closeAllConnections());

it.each([200, 422])('does not read a tier’s answer of status %d without end', async (status) => {
  let sent = 0;
  server = createServer((request, answer) => {
    request.resume();
    answer.writeHead(status, { 'content-type': 'application/octet-stream' });
    const zeros = new Uint8Array(64 * 1024);
    const write = () => {
      while (!answer.destroyed && answer.write(zeros)) sent += zeros.length;
      sent += zeros.length;
    };
    answer.on('drain', write);
    write();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const delegate = createNodeTierDelegate({ url: `http://127.0.0.1:${port}`, secret: 'secret' });
  const input = { kind: 'image', bytes: new Uint8Array([1, 2, 3]) } as const;
  const deadline = Date.now() + 600_000;
  await expect(delegate.infer(input, manifest, deadline)).rejects.toMatchObject({
    code: 'batch_tier_unavailable',
  });
  // The rest is what sockets hold on their way.
  expect(sent).toBeLessThan(maxTierAnswerBytes + 32 * 1024 * 1024);
});
