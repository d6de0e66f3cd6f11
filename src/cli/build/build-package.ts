import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { defineCommand } from '../command-line/command.ts';
import { projectRoot } from '../paths.ts';

/**
 * `npm run build:package`: dist/client, a package of its own that needs no other (`npm pack ./dist/client`), and what
 * `resnet-edge/client` names. tsc puts the declarations beside it.
 */
export const buildPackage = defineCommand({
  usage: `Usage: npm run build:package

Writes dist/client, ready for npm pack.`,
  options: {},
  operands: { min: 0, max: 0 },
  async run() {
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
    return 0;
  },
});
