/**
 * `npm run bench -- [--only TEXT]`: every benchmark that needs nothing but this repository, one after the other. What they
 * print is shown, and kept in .build/bench.json with the machine, the versions and the date. Once each has been run on one
 * machine with the same versions, docs/benchmarks.md and the plots in docs/benchmarks are written.
 */
import { spawn } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildRoot, projectRoot } from '../../src/cli/paths.ts';
import { type BenchRecord, type BenchResult, benches, noteInto, readNotes } from './pages/record.ts';
import { writePages } from './pages/write-pages.ts';

/** What .build/bench.json has besides. */
interface PrintedResult extends BenchResult {
  readonly output: readonly string[];
}

const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } });
const path = join(buildRoot, 'bench.json');
const notes = join(buildRoot, 'bench-notes.jsonl');
const about = await describeMachine();
const results = await readKept();
await mkdir(buildRoot, { recursive: true });
for (const name of benches.filter((one) => one.includes(values.only))) {
  console.log(`\n# npm run bench:${name}\n`);
  const result = await run(name);
  results.set(result.command, result);
  // After each: a long run that is ended keeps what it has.
  await writeFile(path, `${JSON.stringify({ ...about, results: inOrder() }, undefined, 2)}\n`);
}
await rm(notes, { force: true });
console.log(`\n${path}`);
const isSound = inOrder().every(({ status }) => status === 0);
if (isSound && results.size === benches.length) {
  const figures = inOrder().map(({ output: _, ...result }) => result);
  await writePages({ ...about, results: figures }, join(projectRoot, 'docs'));
  console.log('docs/benchmarks.md, docs/benchmarks/*.svg');
}
process.exit(isSound ? 0 : 1);

async function run(name: string): Promise<PrintedResult> {
  await rm(notes, { force: true });
  const [date, begun, before] = [new Date().toISOString(), performance.now(), readLoad()];
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
  return {
    command: `npm run bench:${name}`,
    date,
    load: [before, readLoad()],
    status,
    seconds: Math.round((performance.now() - begun) / 1000),
    comparisons: await readNotes(notes),
    output: output.split('\n'),
  };
}

function inOrder(): PrintedResult[] {
  return benches.flatMap((name) => results.get(`npm run bench:${name}`) ?? []);
}

/** What was measured before on this machine, with these versions. */
async function readKept(): Promise<Map<string, PrintedResult>> {
  const text = await readFile(path, 'utf8').catch(() => '{}');
  const { results: kept = [], ...was } = JSON.parse(text) as Partial<Omit<BenchRecord, 'results'>> & {
    results?: PrintedResult[];
  };
  const isSame = JSON.stringify(was) === JSON.stringify(about);
  return new Map(isSame ? kept.map((result) => [result.command, result]) : []);
}

async function describeMachine(): Promise<Omit<BenchRecord, 'results'>> {
  const { version, dependencies, devDependencies } = JSON.parse(
    await readFile(join(projectRoot, 'package.json'), 'utf8'),
  ) as { version: string; dependencies: Record<string, string>; devDependencies: Record<string, string> };
  return {
    machine: { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, memory_bytes: totalmem() },
    versions: { 'resnet-edge': version, node: process.version, ...dependencies, ...devDependencies },
  };
}

/** Processes that wanted a core in the last minute. */
function readLoad(): number {
  return Math.round((loadavg()[0] ?? 0) * 10) / 10;
}
