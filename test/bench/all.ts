/**
 * `npm run bench -- [--only TEXT]`: every benchmark that needs nothing but this repository, one after the other. What they
 * print is shown, and kept in .build/bench.json with the machine, the versions and the date. A whole run also writes
 * docs/benchmarks.md and the plots in docs/benchmarks.
 */
import { spawn } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildRoot, projectRoot } from '../../src/cli/paths.ts';
import { type BenchRecord, type BenchResult, noteInto, readNotes } from './pages/record.ts';
import { writePages } from './pages/write-pages.ts';

const benches = ['image', 'formats', 'inference', 'cold', 'batch', 'answers'] as const;

/** What .build/bench.json has besides. */
interface PrintedResult extends BenchResult {
  readonly output: readonly string[];
}

const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } });
const { version, dependencies, devDependencies } = JSON.parse(
  await readFile(join(projectRoot, 'package.json'), 'utf8'),
) as { version: string; dependencies: Record<string, string>; devDependencies: Record<string, string> };
const path = join(buildRoot, 'bench.json');
const notes = join(buildRoot, 'bench-notes.jsonl');
const load = [toLoad()];
const results: PrintedResult[] = [];
await mkdir(buildRoot, { recursive: true });
for (const name of benches.filter((one) => one.includes(values.only))) {
  console.log(`\n# npm run bench:${name}\n`);
  const begun = performance.now();
  await rm(notes, { force: true });
  const { status, output } = await run(name);
  const seconds = Math.round((performance.now() - begun) / 1000);
  const comparisons = await readNotes(notes);
  load.push(toLoad());
  results.push({
    command: `npm run bench:${name}`,
    status,
    seconds,
    comparisons,
    output: output.split('\n'),
  });
  // After each: a long run that is ended keeps what it has.
  await writeFile(path, `${JSON.stringify({ ...about(), results }, undefined, 2)}\n`);
}
await rm(notes, { force: true });
console.log(`\n${path}`);
const isWhole = results.every(({ status }) => status === 0);
// A part of the benchmarks would take the others from the page.
if (isWhole && results.length === benches.length) {
  const figures = results.map(({ output: _, ...result }) => result);
  await writePages({ ...about(), results: figures }, join(projectRoot, 'docs'));
  console.log('docs/benchmarks.md, docs/benchmarks/*.svg');
}
process.exit(isWhole ? 0 : 1);

async function run(name: string): Promise<{ status: number; output: string }> {
  const argv = ['src/cli/run.js', `test/bench/${name}.ts`];
  const child = spawn(process.execPath, argv, {
    cwd: projectRoot,
    env: { ...process.env, ...noteInto(notes) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    process.stdout.write(text);
  });
  const status = await new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? 1)));
  return { status, output };
}

function about(): Omit<BenchRecord, 'results'> {
  const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, memory_bytes: totalmem() };
  const versions = { 'resnet-edge': version, node: process.version, ...dependencies, ...devDependencies };
  return { date: new Date().toISOString(), machine, load, versions };
}

/** Processes that wanted a core in the last minute. */
function toLoad(): number {
  return Math.round((loadavg()[0] ?? 0) * 10) / 10;
}
