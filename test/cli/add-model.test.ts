import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openLocalTarget } from '../../src/cli/models/publish.ts';
import { projectRoot } from '../../src/cli/paths.ts';
import { makeSeededResnet50Int8 } from '../bench/seeded-resnet50.ts';
import { assetPath } from '../golden/golden.ts';

/** Set before anything reads it: paths.ts does when it is loaded. */
const { folder } = vi.hoisted(() => {
  const root = `${process.env['TMPDIR'] ?? '/tmp'}/add-${process.pid}-${Date.now()}`;
  process.env['RESNET_EDGE_MODELS_DIR'] = `${root}/workspace`;
  process.env['RESNET_EDGE_STATE_DIR'] = `${root}/state`;
  process.env['CLOUDFLARE_CF_FETCH_ENABLED'] = 'false';
  process.env['WRANGLER_SEND_METRICS'] = 'false';
  return { folder: root };
});

/** A ResNet-50 of the real topology with seeded weights, behind a mirror that closes its first connection half way. */
let server: Server;
const ranges: (string | undefined)[] = [];

beforeAll(async () => {
  await mkdir(folder);
  const onnx = await makeSeededResnet50Int8();
  server = createServer((request, response) => {
    ranges.push(request.headers.range);
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': onnx.length - from });
    if (ranges.length > 1) return void response.end(onnx.subarray(from));
    response.write(onnx.subarray(0, onnx.length >> 1), () => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const catalogue = JSON.parse(await readFile(assetPath('sources.json'), 'utf8'));
  const { model } = catalogue.additions.resnet50;
  const sha256 = createHash('sha256').update(onnx).digest('hex');
  // The catalogue as it is shipped, but for the bytes.
  catalogue.models = catalogue.models.map((entry: { name: string }) =>
    entry.name === model ? { ...entry, bytes: onnx.length, sha256 } : entry,
  );
  await writeFile(join(folder, 'sources.json'), JSON.stringify(catalogue));
}, 120_000);
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

/** @returns the last line of standard output. */
async function run(script: readonly string[]): Promise<{ code: number; line: string; err: string }> {
  return await new Promise((resolve) => {
    execFile(process.execPath, script, { cwd: projectRoot }, (error, stdout, stderr) =>
      resolve({
        code: error ? Number(error.code) : 0,
        line: stdout.trim().split('\n').at(-1) ?? '',
        err: stderr,
      }),
    );
  });
}

const add = async () => {
  const { port } = server.address() as { port: number };
  const mirror = `http://127.0.0.1:${port}`;
  const options = ['--sources', join(folder, 'sources.json'), '--mirror', mirror, '--json'];
  return await run(['src/cli/main.ts', 'models', 'add', 'resnet50', ...options]);
};

it('adds a ResNet-50 in one command, over a connection that breaks; again it has nothing to do', async () => {
  const first = await add();
  expect(first.err).toBe('');
  expect(JSON.parse(first.line)).toMatchObject({
    name: 'resnet50/1',
    tier: 'edge',
    runtime: 'resnet-int8',
    written: 4,
    aliases: ['@cf/microsoft/resnet-50', 'microsoft/resnet-50'],
  });
  expect(ranges).toEqual([undefined, expect.stringMatching(/^bytes=\d+-$/)]);
  const second = await add();
  expect(JSON.parse(second.line)).toMatchObject({ name: 'resnet50/1', written: 0 });
  expect(ranges).toHaveLength(2);

  const target = await openLocalTarget();
  const catalog = Buffer.from((await target.read('catalog.json'))!).toString();
  await target.close();
  expect(JSON.parse(catalog)).toMatchObject({
    models: [{ name: 'resnet50', version: '1' }],
    aliases: { '@cf/microsoft/resnet-50': 'resnet50', 'microsoft/resnet-50': 'resnet50' },
  });
}, 180_000);
