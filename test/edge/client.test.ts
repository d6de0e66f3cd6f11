import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/cli/paths.ts';
import type * as ClientModule from '../../src/client/client.ts';
import { goldenPath } from '../golden/golden.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';

/** A project that has installed the packed package, as `npm pack` makes it. */
let folder: string;
let edge: EdgeServer;
let client: typeof ClientModule;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'client-'));
  const npm = (args: readonly string[], cwd: string) =>
    execFileSync('npm', [...args, '--silent'], {
      cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  const tarball = npm(['pack', '--pack-destination', folder], projectRoot).trim().split('\n').at(-1)!;
  execFileSync('tar', ['-xzf', tarball], { cwd: folder });
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  execFileSync('mkdir', ['-p', 'node_modules'], { cwd: folder });
  await symlink(join(folder, 'package'), join(folder, 'node_modules/resnet-edge'));
  await symlink(join(projectRoot, 'node_modules'), join(folder, 'package/node_modules'));
  await writeFile(join(folder, 'use.mjs'), "export * from 'resnet-edge/client';");
  client = await import(/* @vite-ignore */ pathToFileURL(join(folder, 'use.mjs')).href);
  edge = await startEdge();
}, 120_000);
afterAll(async () => {
  await edge?.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('resnet-edge/client, packed and installed', () => {
  it('classifies, lists and describes', async () => {
    const service = client.createClient({ baseUrl: edge.url });
    const photo = new Uint8Array(await readFile(goldenPath('cat.jpg')));
    const { predictions, image } = await service.classify(photo, { topK: 2 });
    expect(predictions.map(({ label }) => label)).toEqual(['Egyptian cat', 'tabby']);
    expect(image).toEqual({ format: 'jpeg', width: 451, height: 300 });
    const [model] = await service.listModels();
    expect((await service.readModel(model!.name)).tier).toBe('edge');
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
  it('has types that a strict project accepts, and that refuse what is wrong', async () => {
    await writeFile(
      join(folder, 'use.ts'),
      `import { createClient } from 'resnet-edge/client';
       const client = createClient({ baseUrl: 'https://x.example' });
       const score: number = (await client.classify(new Blob([]))).predictions[0]!.score;
       // @ts-expect-error a label is a string
       const label: number = (await client.classify({ url: 'https://x.example/cat.jpg' })).predictions[0]!.label;
       export { label, score };`,
    );
    const tsc = join(projectRoot, 'node_modules/typescript/bin/tsc');
    const options = '--strict --noEmit --module nodenext --target es2024 --lib es2024,dom --skipLibCheck';
    expect(() =>
      execFileSync(process.execPath, [tsc, ...options.split(' '), 'use.ts'], {
        cwd: folder,
        stdio: 'pipe',
      }),
    ).not.toThrow();
  }, 60_000);
});
