/**
 * `npm run soak -- [--minutes 10]`: mixed formats, sizes and bad inputs at 1, 4, 16 and 64 connections. Prints times, errors
 * by code, and memory in tenths of the run. Fails if anything but a typed problem came back, or memory went on growing.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startEdgeProcess } from '../edge/edge-process.ts';
import { goldenPath } from '../golden/golden.ts';
import { createRandom } from '../toolchain/quantize/seeded-random.ts';
import { readGroupMemory } from './read-group-memory.ts';

const connectionCounts = [1, 4, 16, 64] as const;
const tenths = 10;
/** Resident memory of the last tenth may be so many times that of the third: caches are full by then. */
const maxGrowth = 1.25;

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' } } });
const milliseconds = Number(values.minutes) * 60_000;
if (!(milliseconds > 0)) {
  console.error('Usage: npm run soak -- [--minutes 10]');
  process.exit(2);
}

interface Sample {
  readonly outcome: string;
  readonly milliseconds: number;
}

const random = createRandom(1).uniform;
const files = await readInputs();
const state = await mkdtemp(join(tmpdir(), 'soak-'));
const edge = await startEdgeProcess({ RESNET_EDGE_STATE_DIR: state, ANSWER_CACHE_SECONDS: '0' });
const memory: number[] = [];
let isSound = true;
try {
  const samples = new Map<number, Sample[]>(connectionCounts.map((count) => [count, []]));
  // Each tenth has all of them, so that tenths can be compared.
  for (let tenth = 0; tenth < tenths; tenth++) {
    for (const [count, own] of samples) {
      own.push(...(await sendUntil(Date.now() + milliseconds / tenths / connectionCounts.length, count)));
    }
    memory.push(await readGroupMemory(edge.pid));
  }
  console.log('connections  requests     p50     p95     p99 ms  outcomes');
  for (const [count, own] of samples) report(count, own);
  const ready = (await (await edge.fetch('/v1/health/ready')).json()) as { runtime_memory_bytes: number };
  reportMemory(ready.runtime_memory_bytes);
} finally {
  await edge.stop();
  await rm(state, { recursive: true, force: true });
}
process.exit(isSound ? 0 : 1);

/** Golden photos of every format, and what is wrong with them in many ways. */
async function readInputs(): Promise<Uint8Array<ArrayBuffer>[]> {
  const names = (await readdir(goldenPath('.'))).filter((name) =>
    /\.(jpg|png|webp|gif|bmp|tiff?|avif|heic)$/.test(name),
  );
  const photos = await Promise.all(
    names.map(async (name) => new Uint8Array(await readFile(goldenPath(name)))),
  );
  const cut = photos.map((bytes) => bytes.slice(0, Math.floor(bytes.length / 2)));
  const changed = photos.map((bytes) => {
    const copy = bytes.slice();
    for (let at = 40; at < copy.length; at += 997) copy[at] = Math.floor(random() * 256);
    return copy;
  });
  const junk = [0, 1, 7, 100, 10_000].map((size) =>
    Uint8Array.from({ length: size }, () => Math.floor(random() * 256)),
  );
  return [...photos, ...photos, ...cut, ...changed, ...junk];
}

async function sendUntil(until: number, connections: number): Promise<Sample[]> {
  const samples: Sample[] = [];
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (Date.now() < until) {
        const begun = performance.now();
        const outcome = await send().catch((error: unknown) => `no answer: ${error}`);
        samples.push({ outcome, milliseconds: performance.now() - begun });
      }
    }),
  );
  return samples;
}

/** One request of a random kind. @returns `ok`, or the problem's code. */
async function send(): Promise<string> {
  const file = files[Math.floor(random() * files.length)] ?? new Uint8Array();
  const kind = random();
  const [path, init] =
    kind < 0.6
      ? ['/v1/classify', { body: file }]
      : kind < 0.75
        ? ['/v1/embeddings?layers=all', { body: file }]
        : kind < 0.9
          ? ['/v1/classify/json', { body: JSON.stringify({ image: Buffer.from(file).toString('base64') }) }]
          : ['/v1/classify/form', { body: toForm(file) }];
  const headers = path.endsWith('/json') ? { 'content-type': 'application/json' } : undefined;
  const response = await edge.fetch(path, { method: 'POST', ...init, ...(headers && { headers }) });
  const answer = (await response.json()) as { code?: string };
  return response.status === 200 ? 'ok' : (answer.code ?? `status ${response.status}`);
}

function toForm(file: Uint8Array<ArrayBuffer>): FormData {
  const form = new FormData();
  for (const name of ['a', 'b']) form.append('image', new File([file], name));
  return form;
}

function report(connections: number, samples: readonly Sample[]): void {
  const times = samples.map((sample) => sample.milliseconds).sort((a, b) => a - b);
  const at = (share: number) => (times[Math.floor(times.length * share)] ?? 0).toFixed(0).padStart(8);
  const counts = new Map<string, number>();
  for (const { outcome } of samples) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  const bad = [...counts.keys()].filter((code) =>
    /^(internal|inference_failed|no answer|status )/.test(code),
  );
  if (bad.length > 0) isSound = false;
  const outcomes = [...counts].sort(([, a], [, b]) => b - a).map(([code, count]) => `${code} ${count}`);
  console.log(
    `${String(connections).padStart(11)}${String(samples.length).padStart(10)}${at(0.5)}${at(0.95)}${at(0.99)}     ${outcomes.join(', ')}${bad.length > 0 ? '  FAILED' : ''}`,
  );
}

function reportMemory(wasmBytes: number): void {
  const toMegabytes = (bytes: number) => (bytes / 1e6).toFixed(0);
  const [third = 0, last = 0] = [memory[2], memory.at(-1)];
  const hasGrown = last > maxGrowth * third;
  if (hasGrown) isSound = false;
  console.log(
    `resident memory of workerd in tenths of the run, MB: ${memory.map(toMegabytes).join(' ')}${hasGrown ? '  FAILED: it grows' : ''}`,
  );
  console.log(`WebAssembly memory of the models, MB: ${toMegabytes(wasmBytes)}`);
}
