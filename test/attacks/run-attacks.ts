/**
 * `npm run attack -- [--seconds 10] [--only TEXT]`: starts the service, runs each attack beside a person who posts a small
 * photo every half second, or one of 4 MB where the attack is against those, and prints what became of the photos. Fails if one of them was refused, or if 95 % did not come
 * within 5 s. Loopback alone.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startEdgeProcess } from '../edge/edge-process.ts';
import { goldenPath } from '../golden/golden.ts';
import { type Attack, keys } from './attack.ts';
import { costlyInput } from './costly-input.ts';
import { largeBodies } from './large-bodies.ts';
import { slowBodies } from './slow-bodies.ts';
import { postRegularly } from './victim.ts';

const patienceMs = 5_000;
const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '10' }, only: { type: 'string', default: '' } },
});
const seconds = Number(values.seconds);
if (!(seconds > 0)) {
  console.error('Usage: npm run attack -- [--seconds 10] [--only TEXT]');
  process.exit(2);
}

// It begins an answer and never ends it.
const silent = createServer((_, response) =>
  response.writeHead(200, { 'content-type': 'image/jpeg' }).write('x'),
);
await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
const silentOrigin = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
const state = await mkdtemp(join(tmpdir(), 'attack-'));
const photo = await readFile(goldenPath('cat.jpg'));
// What stands behind the end of a JPEG is not read.
const largePhoto = Buffer.concat([photo, Buffer.alloc(4e6 - photo.length)]);
const apiKeys = Object.entries(keys).map(([id, key]) => ({
  id,
  sha256: createHash('sha256').update(key).digest('hex'),
  scopes: ['classify', 'batch'],
}));
const edge = await startEdgeProcess({
  RESNET_EDGE_STATE_DIR: state,
  IMAGE_URL_ALLOW: silentOrigin,
  API_KEYS: JSON.stringify(apiKeys),
  SHOP_SECRET: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
  WEBHOOK_SOURCES: JSON.stringify([
    { name: 'shop', kind: 'standard', secrets: ['SHOP_SECRET'], image_url: '/url' },
  ]),
});
let isHeld = true;
try {
  console.log('photos  refused     p50     p95     max ms  beside');
  const attacks: readonly Attack[] = [
    { name: 'nobody', run: async () => undefined },
    ...slowBodies,
    ...costlyInput,
    { name: 'nobody, photos of 4 MB', isAgainstLargePhotos: true, run: async () => undefined },
    ...largeBodies,
  ];
  for (const attack of attacks.filter(({ name }) => name.includes(values.only))) {
    if (!(await report(attack))) isHeld = false;
  }
} finally {
  await edge.stop();
  silent.closeAllConnections();
  silent.close();
  await rm(state, { recursive: true, force: true });
}
process.exit(isHeld ? 0 : 1);

/** @returns whether the service held: nobody was refused, and nearly all were answered in time. */
async function report(attack: Attack): Promise<boolean> {
  const over = new AbortController();
  const running = attack
    .run({ origin: edge.url, silentOrigin, signal: over.signal })
    .catch((error: unknown) => console.log(`        ${attack.name}: ${error}`));
  const answers = attack.isAgainstLargePhotos
    ? await postRegularly(edge.url, largePhoto, seconds, { authorization: `Bearer ${keys.victim}` })
    : await postRegularly(edge.url, photo, seconds);
  over.abort();
  await running;
  const times = answers.map(({ milliseconds }) => milliseconds).sort((a, b) => a - b);
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  const refused = answers.filter(({ outcome }) => outcome !== 'ok');
  const figures = [at(0.5), at(0.95), at(1)].map((value) => value.toFixed(0).padStart(8)).join('');
  const isGood = refused.length === 0 && at(0.95) <= patienceMs;
  console.log(
    `${String(answers.length).padStart(6)}${String(refused.length).padStart(9)}${figures}     ${attack.name}${isGood ? '' : `  FAILED ${[...new Set(refused.map(({ outcome }) => outcome))].join(', ')}`}`,
  );
  return isGood;
}
