/**
 * `npx resnet-edge-models BUCKET`, in a project that has installed the package: puts the package's model into an R2
 * bucket, by the project's own wrangler.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { compileEngineModel } from '../../toolchain/engine-compiler/compile-engine-model.ts';

/** The package's models, under the keys that they have in the bucket. */
const folder = fileURLToPath(new URL('../model/', import.meta.url));

const usage = `Usage: npx resnet-edge-models BUCKET [--local] [--persist-to FOLDER]

Puts the default model into an R2 bucket.

  --local              the bucket of wrangler dev on this machine
  --persist-to FOLDER  where wrangler dev keeps it`;

process.exitCode = main();

function main(): number {
  const options = {
    local: { type: 'boolean' },
    'persist-to': { type: 'string' },
    help: { type: 'boolean' },
  } as const;
  let parsed: ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>>;
  try {
    parsed = parseArgs({ options, allowPositionals: true });
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${usage}`);
    return 2;
  }
  const { values, positionals } = parsed;
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const [bucket, ...surplus] = positionals;
  if (bucket === undefined || surplus.length > 0) {
    console.error(usage);
    return 2;
  }
  const where = values.local ? ['--local'] : ['--remote'];
  if (values['persist-to'] !== undefined) where.push('--persist-to', values['persist-to']);
  return putFiles(bucket, where);
}

/** @returns 0, or the status of the first `wrangler r2 object put` that failed. */
function putFiles(bucket: string, where: readonly string[]): number {
  const scratch = mkdtempSync(join(tmpdir(), 'resnet-edge-models-'));
  try {
    for (const [key, path] of listFiles(scratch)) {
      console.log(`${bucket}/${key}`);
      const put = ['wrangler', 'r2', 'object', 'put', `${bucket}/${key}`, '--file', path, ...where];
      const { status } = spawnSync('npx', put, { stdio: ['ignore', 'ignore', 'inherit'] });
      if (status !== 0) return status ?? 1;
    }
    return 0;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** Keys in the bucket, and the files for them: labels, manifest and network of the version, then the catalogue. */
function listFiles(scratch: string): [key: string, path: string][] {
  const { models } = readJson<{ models: { name: string; version: string }[] }>('catalog.json');
  const versions = models.map(({ name, version }) => `${name}/${version}`);
  return [
    ...versions.flatMap((version): [string, string][] => [
      [`${version}/labels.json`, join(folder, version, 'labels.json')],
      [`${version}/model.rni8`, deriveEngineFile(version, scratch)],
      [`${version}/manifest.json`, join(folder, version, 'manifest.json')],
    ]),
    ['catalog.json', join(folder, 'catalog.json')],
  ];
}

/** @throws {Error} if the file is another one than the manifest says. */
function deriveEngineFile(version: string, scratch: string): string {
  const { files, preprocess } = readJson<{
    files: { rni8: { sha256: string } };
    preprocess: { center_crop: number };
  }>(`${version}/manifest.json`);
  const { file } = compileEngineModel(
    readFileSync(join(folder, version, 'model.onnx')),
    preprocess.center_crop,
  );
  const sha256 = createHash('sha256').update(file).digest('hex');
  if (sha256 !== files.rni8.sha256) throw new Error(`${version}/model.onnx compiles to SHA-256 ${sha256}.`);
  const path = join(scratch, `${sha256}.rni8`);
  writeFileSync(path, file);
  return path;
}

/** @param name of a file of the package, which was checked when the package was made. */
function readJson<T>(name: string): T {
  return JSON.parse(readFileSync(join(folder, name), 'utf8')) as T;
}
