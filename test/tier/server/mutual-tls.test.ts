import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTier, type TierProcess } from './tier-process.ts';

const options = { keyType: 'ec', algorithm: 'sha256' } as const;
const authority = (name: string) =>
  generate([{ name: 'commonName', value: name }], {
    ...options,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true },
    ],
  });
type Pems = Awaited<ReturnType<typeof authority>>;
const signed = (name: string, { private: key, cert }: Pems) =>
  generate([{ name: 'commonName', value: name }], {
    ...options,
    ca: { key, cert },
    extensions: [
      { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
      { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
    ],
  });

describe('the Node tier behind mutual TLS', () => {
  let folder: string;
  let tier: TierProcess;
  let ours: Pems;
  let client: Pems;
  let stranger: Pems;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tier-tls-'));
    ours = await authority('an authority of the test');
    const server = await signed('tier', ours);
    client = await signed('edge', ours);
    stranger = await signed('edge', await authority('another authority'));
    const file = async (name: string, text: string) => {
      await writeFile(join(folder, name), text);
      return join(folder, name);
    };
    tier = await startTier({
      TIER_TLS_CERT: await file('server.crt', server.cert),
      TIER_TLS_KEY: await file('server.key', server.private),
      TIER_TLS_CLIENT_CA: await file('clients.crt', ours.cert),
    });
  });
  afterAll(async () => {
    await tier?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const ask = (identity: { cert?: string; key?: string }, authorization = `Bearer ${tier.secret}`) =>
    new Promise<number>((resolve, reject) => {
      const { port } = new URL(tier.url);
      const call = request(
        { host: '127.0.0.1', port, path: '/v2', ca: ours.cert, ...identity, headers: { authorization } },
        (response) => {
          response.resume();
          resolve(response.statusCode!);
        },
      );
      call.setTimeout(10_000, () => call.destroy(new Error('timeout')));
      call.on('error', reject).end();
    });

  it('answers a client whose certificate the authority signed, if it has the secret too', async () => {
    const identity = { cert: client.cert, key: client.private };
    expect(await ask(identity)).toBe(200);
    expect(await ask(identity, 'Bearer wrong')).toBe(401);
  });

  it('ends the connection of any other', async () => {
    await expect(ask({})).rejects.toThrow();
    await expect(ask({ cert: stranger.cert, key: stranger.private })).rejects.toThrow();
  });
});
