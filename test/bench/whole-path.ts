import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createTestHarness } from 'wrangler';
import { type BatchJson, collectResults, type ResultRow, waitForEnd } from '../edge/batch-client.ts';
import { type EdgeServer, startEdge } from '../edge/edge-server.ts';
import { startTier } from '../tier/server/tier-process.ts';
import { median } from './median.ts';

const sampleEveryMs = 2000;

/** Small pictures of all formats, by turns: a result that is in another's place shows. */
const files = [
  'optimized.jpg',
  'progressive-2x2.jpg',
  'webp-lossy.webp',
  'bmp-24.bmp',
  'cmyk.jpg',
  'gif-plain.gif',
  'rgb.jpg',
  'png-palette8-adam7.png',
];

/** What one request may hold: 94 MB of these, as base64. */
const batchImages = 10_000;

/**
 * So many small pictures through edge, queue, tier and results, on this machine, in batches of 10,000. Prints
 * rate, order, and the memory of the tier and of workerd over time.
 *
 * @returns whether every image has its own result.
 */
export async function measureWholePath(images: number): Promise<boolean> {
  const tier = await startTier({ MALLOC_ARENA_MAX: '2' });
  const edge = await startEdge({
    vars: {
      NODE_TIER_URL: tier.url,
      NODE_TIER_SECRET: tier.secret,
    },
  });
  const samples: { tier: number; workerd: number }[] = [];
  const sampling = setInterval(
    () => void sampleMemory(tier.child.pid!).then((sample) => samples.push(sample)),
    sampleEveryMs,
  );
  try {
    let complete = true;
    for (let left = images; left > 0; left -= batchImages) {
      complete = (await runBatch(edge, Math.min(left, batchImages))) && complete;
    }
    clearInterval(sampling);
    console.log(
      `workerd, a Worker that only reads R2 as often, MB: ${(await readAsOften(images)).join(' ')}`,
    );
    for (const process of ['tier', 'workerd'] as const) {
      // In tenths of the run, so that growth would show.
      const size = Math.max(1, Math.ceil(samples.length / 10));
      const parts = Array.from({ length: Math.ceil(samples.length / size) }, (_, part) =>
        median(samples.slice(part * size, (part + 1) * size).map((sample) => sample[process])),
      );
      console.log(`resident memory of ${process}, MB: ${parts.map((mb) => mb.toFixed(0)).join(' ')}`);
    }
    return complete;
  } finally {
    clearInterval(sampling);
    await edge.stop();
    await tier.stop();
  }
}

async function runBatch(edge: EdgeServer, images: number): Promise<boolean> {
  const lines = await Promise.all(
    files.map(async (name) => {
      const bytes = await readFile(new URL(`../fixtures/images/${name}`, import.meta.url));
      return `${JSON.stringify({ image: bytes.toString('base64') })}\n`;
    }),
  );
  const body = Array.from({ length: images }, (_, index) => lines[index % lines.length]!).join('');
  const submitted = performance.now();
  const response = await edge.fetch('/v1/batches?top_k=1', {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body,
    signal: AbortSignal.timeout(300_000),
  });
  if (response.status !== 202) throw new Error(await response.text());
  const { id } = (await response.json()) as BatchJson;
  const accepted = performance.now();
  const { status, counts } = await waitForEnd(edge, id, undefined, 3_600_000);
  const seconds = (performance.now() - accepted) / 1000;
  const rows = await collectResults(edge, id);
  const complete = rows.length === images && rows.every(isOwnResult);
  console.log(
    `${images} images, ${(body.length / 1e6).toFixed(0)} MB: taken in ${((accepted - submitted) / 1000).toFixed(1)} s, ` +
      `${status} after ${seconds.toFixed(0)} s (${(images / seconds).toFixed(0)} images/s), ` +
      `${counts.succeeded} succeeded, ${counts.failed} failed, ${rows.length} results, ` +
      `${complete ? 'each its own, in order' : 'NOT ALL, OR NOT IN ORDER'}`,
  );
  return complete && status === 'succeeded';
}

/** The same picture has the same result, to the last bit, and no other has it. */
function isOwnResult(row: ResultRow, place: number, rows: readonly ResultRow[]): boolean {
  const text = ({ index: _, ...result }: ResultRow) => JSON.stringify(result);
  const own = place % files.length;
  return (
    row.index === place &&
    rows.slice(0, files.length).every((first, kind) => (text(first) === text(row)) === (kind === own))
  );
}

/**
 * The local stack's own appetite: workerd, with wrangler's R2 on top, keeps about 20 KB for each read, whoever
 * reads. So the growth that is seen is compared with that of a Worker which has nothing to keep.
 *
 * @returns resident memory in MB, in tenths of so many reads.
 */
async function readAsOften(reads: number): Promise<string[]> {
  const root = await mkdtemp(join(tmpdir(), 'reader-'));
  await writeFile(
    join(root, 'wrangler.toml'),
    'name="r"\nmain="r.js"\ncompatibility_date="2026-11-01"\n[[r2_buckets]]\nbinding="B"\nbucket_name="bucket"\n',
  );
  await writeFile(
    join(root, 'r.js'),
    `export default { async fetch(request, { B }) {
      await B.put('k', new Uint8Array(4_194_304));
      for (let left = Number(new URL(request.url).searchParams.get('reads')); left > 0; left--)
        await (await B.get('k', { range: { offset: left, length: 7000 } })).arrayBuffer();
      return new Response();
    } }`,
  );
  const harness = createTestHarness({ root, workers: [{ configPath: './wrangler.toml' }] });
  const before = await sampleMemory(0);
  try {
    const { url } = await harness.listen();
    const sizes: string[] = [];
    for (let part = 0; part < 10; part++) {
      await (await fetch(new URL(`?reads=${Math.ceil(reads / 10)}`, url))).arrayBuffer();
      sizes.push(((await sampleMemory(0)).workerd - before.workerd).toFixed(0));
    }
    return sizes;
  } finally {
    await harness.close();
    await rm(root, { recursive: true });
  }
}

/** MB, of the tier and of the workerd processes that this one has started. */
async function sampleMemory(tierPid: number): Promise<{ tier: number; workerd: number }> {
  const { stdout } = await promisify(execFile)('ps', ['-axo', 'pid=,ppid=,rss=,comm=']);
  const rows = stdout
    .trim()
    .split('\n')
    .map(
      (line) => /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(.*)$/.exec(line)!.slice(1) as [string, string, string, string],
    );
  const own = new Set([String(process.pid)]);
  // Parents come before their children often, not always: two passes find grandchildren.
  for (const _ of [1, 2]) for (const [pid, ppid] of rows) if (own.has(ppid)) own.add(pid);
  const sum = (matches: (row: readonly string[]) => boolean) =>
    rows.filter(matches).reduce((total, [, , rss]) => total + Number(rss) / 1024, 0);
  return {
    tier: sum(([pid]) => pid === String(tierPid)),
    workerd: sum(([pid, , , name]) => own.has(pid!) && name!.includes('workerd')),
  };
}
