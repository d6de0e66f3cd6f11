import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/cli/paths.ts';
import type * as ClientModule from '../../src/client/client.ts';
import { goldenPath } from '../golden/golden.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';

/** A project that has the two packages with the client, as `npm pack` makes them, and nothing else. */
const packages = { 'resnet-edge-client': 'dist/client', 'resnet-edge': 'dist/package' } as const;
let folder: string;
let edge: EdgeServer;
let client: typeof ClientModule;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'client-'));
  execFileSync('npm', ['run', 'build:package', '--silent'], { cwd: projectRoot });
  for (const [name, source] of Object.entries(packages)) {
    const tarball = execFileSync('npm', ['pack', `./${source}`, '--pack-destination', folder, '--silent'], {
      cwd: projectRoot,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const target = join(folder, 'node_modules', name);
    await mkdir(target, { recursive: true });
    const file = join(folder, tarball.trim().split('\n').at(-1)!);
    execFileSync('tar', ['-xzf', file, '-C', target, '--strip-components=1']);
  }
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  await writeFile(join(folder, 'use.mjs'), "export * from 'resnet-edge-client';");
  client = await import(/* @vite-ignore */ pathToFileURL(join(folder, 'use.mjs')).href);
  edge = await startEdge();
}, 120_000);
afterAll(async () => {
  await edge?.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('the client, packed and installed', () => {
  it('classifies, lists and describes', async () => {
    const service = client.createClient({ baseUrl: edge.url });
    const photo = new Uint8Array(await readFile(goldenPath('cat.jpg')));
    const { predictions, image } = await service.classify(photo, { topK: 2 });
    expect(predictions.map(({ label }) => label)).toEqual(['Egyptian cat', 'tabby']);
    expect(image).toEqual({ format: 'jpeg', width: 451, height: 300 });
    const [model] = await service.listModels();
    expect((await service.readModel(model!.name)).tier).toBe('edge');
  });
  it('classifies several, each with its own result or problem', async () => {
    const service = client.createClient({ baseUrl: edge.url });
    const photo = new Uint8Array(await readFile(goldenPath('cat.jpg')));
    const { results } = await service.classifyEach([photo, new File(['text'], 'notes.txt')], { topK: 1 });
    expect(results).toMatchObject([
      { index: 0, predictions: [{ label: 'Egyptian cat' }] },
      { index: 1, name: 'notes.txt', problem: { code: 'image_format_unknown' } },
    ]);
  });
  it('gives vectors, of one image and of several', async () => {
    const service = client.createClient({ baseUrl: edge.url });
    const photo = new Uint8Array(await readFile(goldenPath('cat.jpg')));
    const { embedding, dimensions } = await service.embed(photo, { layers: 'all' });
    expect([embedding.length, dimensions]).toEqual([2432, 2432]);
    const { results } = await service.embedEach([photo, new Blob(['text'])], { layers: 'all' });
    expect(results).toMatchObject([{ embedding }, { problem: { code: 'image_format_unknown' } }]);
    const raw = await service.embed(photo, { normalize: false });
    expect(Math.hypot(...raw.embedding)).toBeGreaterThan(2);
  });
  it('submits a batch, watches it, and reads its results as they come', async () => {
    const service = client.createClient({ baseUrl: edge.url });
    const image = new Uint8Array(await readFile(goldenPath('cat.jpg')));
    const inputs = [
      { image, name: 'cat.jpg' },
      { image: new Blob(['text']), name: 'notes.txt' },
    ];
    const { id } = await service.createBatch(inputs, { topK: 1, metadata: { album: 7 } });
    const seen = [];
    for await (const { status } of service.watchBatch(id)) seen.push(status);
    expect(seen.at(-1)).toBe('partial');
    const results = [];
    for await (const result of service.readBatchResults(id)) results.push(result);
    expect(results).toMatchObject([
      { index: 0, name: 'cat.jpg', predictions: [{ label: 'Egyptian cat' }] },
      { index: 1, name: 'notes.txt', problem: { code: 'image_format_unknown' } },
    ]);
    expect(await service.readBatch(id)).toMatchObject({ counts: { total: 2 }, metadata: { album: 7 } });
    expect(() => service.createBatch([...inputs, { url: 'https://x.example/a.jpg' }])).toThrow(TypeError);
  }, 60_000);
  it('is the same by its other name', async () => {
    await writeFile(join(folder, 'other.mjs'), "export * from 'resnet-edge/client';");
    const other = await import(/* @vite-ignore */ pathToFileURL(join(folder, 'other.mjs')).href);
    expect(Object.keys(other)).toEqual(Object.keys(client));
  });
  it('throws the problem with its code', async () => {
    const service = client.createClient({ baseUrl: edge.url });
    await expect(service.classify({ url: 'http://localhost/' })).rejects.toMatchObject({
      name: 'ResnetEdgeError',
      code: 'url_forbidden',
    });
    await expect(service.classify(new Blob(['text']))).rejects.toMatchObject({
      code: 'image_format_unknown',
    });
  });
  it.each(['resnet-edge-client', 'resnet-edge/client'])(
    'has types, as %s, that a strict project accepts, and that refuse what is wrong',
    async (name) => {
      await writeFile(
        join(folder, 'use.ts'),
        `import { createClient } from '${name}';
       const client = createClient({ baseUrl: 'https://x.example' });
       const score: number = (await client.classify(new Blob([]))).predictions[0]!.score;
       // @ts-expect-error a label is a string
       const label: number = (await client.classify({ url: 'https://x.example/cat.jpg' })).predictions[0]!.label;
       export { label, score };`,
      );
      const tsc = join(projectRoot, 'node_modules/typescript/bin/tsc');
      const options = '--strict --noEmit --module nodenext --target es2024 --lib es2024,dom';
      expect(() =>
        execFileSync(process.execPath, [tsc, ...options.split(' '), 'use.ts'], {
          cwd: folder,
          stdio: 'pipe',
        }),
      ).not.toThrow();
    },
    60_000,
  );
});
