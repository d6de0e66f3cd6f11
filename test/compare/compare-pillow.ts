/**
 * `npm run compare:pillow -- DIR [--python PYTHON] [--all]`: every file of a folder through Pillow and through our decoders
 * in workerd, and a table of what is equal and what is not. A developer's tool: it needs a Python that has Pillow, and
 * pillow_heif for HEIC and AVIF.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { z } from 'zod';
import { runWrangler } from '../../src/cli/build/wrangler.ts';
import { prepareWranglerConfig } from '../../src/cli/build/wrangler-config.ts';
import { toPath } from '../../src/cli/command-line/to-path.ts';
import { projectRoot } from '../../src/cli/paths.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { python: { type: 'string', default: 'python3' }, all: { type: 'boolean', default: false } },
});
const [folder, ...surplus] = positionals;
if (folder === undefined || surplus.length > 0) {
  console.error('Usage: npm run compare:pillow -- DIR [--python PYTHON] [--all]');
  process.exit(2);
}

const pillowSchema = z.object({
  path: z.string(),
  sha256: z.string().optional(),
  format: z.string().nullish(),
  error: z.string().optional(),
});
const oursSchema = z.object({
  sha256: z.string().optional(),
  warnings: z.array(z.string()).default([]),
  error: z.string().optional(),
});

const verdicts = ['equal', 'differs', 'only we refuse', 'only Pillow refuses', 'both refuse'] as const;
type Verdict = (typeof verdicts)[number];

const scratch = await mkdtemp(join(tmpdir(), 'compare-'));
const worker = await startWorker(scratch);
const counts = new Map<string, Map<Verdict, number>>();
const named: string[] = [];
try {
  const url = await worker.ready;
  for await (const line of runPillow(toPath(folder), values.python)) {
    const pillow = pillowSchema.parse(JSON.parse(line));
    const ours = await askWorker(url, pillow.path);
    const verdict = judge(pillow, ours);
    const format = pillow.format ?? (/\.(\w+)$/.exec(pillow.path)?.[1] ?? 'none').toUpperCase();
    const row = counts.get(format) ?? new Map<Verdict, number>();
    row.set(verdict, (row.get(verdict) ?? 0) + 1);
    counts.set(format, row);
    const isNamed = verdict === 'differs' || verdict === 'only we refuse' || ours.error?.startsWith('CRASH');
    if (isNamed || values.all) {
      named.push(
        `${verdict}: ${pillow.path}  ${ours.error ?? ours.warnings.join(' ')}  ${pillow.error ?? ''}`.trimEnd(),
      );
    }
  }
} finally {
  await worker.dispose();
  await rm(scratch, { recursive: true, force: true });
}
for (const line of named) console.log(line);
report();

async function startWorker(outdir: string): Promise<Miniflare> {
  // As the Worker itself is built: its decoders need what that configuration defines.
  const config = await prepareWranglerConfig(outdir);
  const built = join(outdir, 'built');
  const { status, output } = await runWrangler(
    [
      'deploy',
      join(projectRoot, 'test/workerd/crop-worker.ts'),
      '--dry-run',
      '--env=',
      '--outdir',
      built,
      '--config',
      config,
    ],
    { WRANGLER_WRITE_LOGS: 'false' },
  );
  if (status !== 0) throw new Error(output);
  const files = await readdir(built);
  return new Miniflare(
    convertV4MiniflareOptions({
      modulesRoot: built,
      modules: [
        { type: 'ESModule' as const, path: join(built, 'crop-worker.js') },
        ...files
          .filter((file) => file.endsWith('.wasm'))
          .map((file) => ({ type: 'CompiledWasm' as const, path: join(built, file) })),
      ],
      compatibilityDate: '2026-11-01',
      compatibilityFlags: ['nodejs_compat'],
      cf: false,
      telemetry: { enabled: false },
    }),
  );
}

/** Lines of pillow-crops.py as they come. */
async function* runPillow(path: string, python: string): AsyncGenerator<string> {
  const program = join(projectRoot, 'test/compare/pillow-crops.py');
  const child = spawn(python, [program, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  yield* createInterface({ input: child.stdout });
  if ((await ended) !== 0) throw new Error(`${python} failed: does it have Pillow?`);
}

async function askWorker(url: URL, path: string) {
  const body = new Uint8Array(await readFile(path));
  if (body.length > 20 * 2 ** 20) return oursSchema.parse({ error: 'body_too_large' });
  try {
    const response = await fetch(url, { method: 'POST', body, signal: AbortSignal.timeout(60_000) });
    return oursSchema.parse(await response.json());
  } catch (error) {
    return oursSchema.parse({ error: `CRASH ${error}` });
  }
}

function judge(pillow: z.infer<typeof pillowSchema>, ours: z.infer<typeof oursSchema>): Verdict {
  if (pillow.sha256 === undefined) return ours.sha256 === undefined ? 'both refuse' : 'only Pillow refuses';
  if (ours.sha256 === undefined) return 'only we refuse';
  return ours.sha256 === pillow.sha256 ? 'equal' : 'differs';
}

function report(): void {
  const formats = [...counts].sort(([a], [b]) => a.localeCompare(b));
  const total = new Map<Verdict, number>();
  for (const [, row] of formats) {
    for (const [verdict, count] of row) total.set(verdict, (total.get(verdict) ?? 0) + count);
  }
  console.log(`\n| format | ${verdicts.join(' | ')} |\n|---|${'---|'.repeat(verdicts.length)}`);
  for (const [format, row] of [...formats, ['all', total] as const]) {
    console.log(`| ${format} | ${verdicts.map((verdict) => row.get(verdict) ?? 0).join(' | ')} |`);
  }
  const read = ['equal', 'differs', 'only we refuse'].reduce(
    (sum, verdict) => sum + (total.get(verdict as Verdict) ?? 0),
    0,
  );
  const share = (100 * (total.get('equal') ?? 0)) / Math.max(1, read);
  console.log(`\nOf ${read} files that Pillow reads, ${share.toFixed(2)} % are read and equal.`);
}
