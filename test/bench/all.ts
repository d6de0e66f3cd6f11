/**
 * `npm run bench -- [--only TEXT]`: every benchmark that needs nothing but this repository, one after the other. What they
 * print is shown, and kept in .build/bench.json with the machine, the versions and the date.
 */
import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildRoot, projectRoot } from '../../src/cli/paths.ts';

const benches = ['image', 'formats', 'inference', 'cold', 'batch', 'answers'] as const;

const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } });
const { version, dependencies } = JSON.parse(await readFile(join(projectRoot, 'package.json'), 'utf8')) as {
  version: string;
  dependencies: Record<string, string>;
};
const path = join(buildRoot, 'bench.json');
const results: object[] = [];
let isWhole = true;
for (const name of benches.filter((one) => one.includes(values.only))) {
  console.log(`\n# npm run bench:${name}\n`);
  const begun = performance.now();
  const { status, output } = await run(name);
  if (status !== 0) isWhole = false;
  const seconds = Math.round((performance.now() - begun) / 1000);
  results.push({ command: `npm run bench:${name}`, status, seconds, output: output.split('\n') });
  // After each: a long run that is ended keeps what it has.
  await write();
}
console.log(`\n${path}`);
process.exit(isWhole ? 0 : 1);

async function run(name: string): Promise<{ status: number; output: string }> {
  const argv = ['src/cli/run.js', `test/bench/${name}.ts`];
  const child = spawn(process.execPath, argv, { cwd: projectRoot, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    process.stdout.write(text);
  });
  const status = await new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? 1)));
  return { status, output };
}

async function write(): Promise<void> {
  await mkdir(buildRoot, { recursive: true });
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, memory_bytes: totalmem() };
  const versions = { 'resnet-edge': version, node: process.version, ...dependencies };
  const about = { date: new Date().toISOString(), machine, versions };
  await writeFile(path, `${JSON.stringify({ ...about, results }, undefined, 2)}\n`);
}
