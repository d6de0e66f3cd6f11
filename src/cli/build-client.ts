import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { projectRoot } from './paths.ts';

/**
 * `npm run build:package`: dist/client, a package of its own that needs no other (`npm pack ./dist/client`), and what
 * `resnet-edge/client` names. tsc puts the declarations beside it.
 */
const outDir = join(projectRoot, 'dist/client');
await rm(outDir, { recursive: true, force: true });
await build({
  entryPoints: [join(projectRoot, 'src/client/client.ts')],
  outfile: join(outDir, 'client.js'),
  bundle: true,
  format: 'esm',
  target: 'es2022',
  logLevel: 'warning',
});
const { version, license } = JSON.parse(await readFile(join(projectRoot, 'package.json'), 'utf8'));
const description = {
  name: 'resnet-edge-client',
  version,
  description: 'Client of a resnet-edge service: image in, labels out.',
  license,
  type: 'module',
  sideEffects: false,
  exports: { '.': { types: './client/client.d.ts', default: './client.js' } },
};
await writeFile(join(outDir, 'package.json'), `${JSON.stringify(description, undefined, 2)}\n`);
