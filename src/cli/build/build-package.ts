import { execFileSync } from 'node:child_process';
import { chmod, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { verifyAssets } from '../assets.ts';
import { defineCommand } from '../command-line/command.ts';
import { projectRoot } from '../paths.ts';
import { buildWeb } from './build-web.ts';

/** The imports of another Worker, each with its entry point. */
const entryPoints = {
  worker: 'functions/edge-engine.ts',
  'worker-onnxruntime': 'functions/edge.ts',
  app: 'functions/package/app.ts',
  image: 'functions/package/image.ts',
  'phone-formats': 'functions/phone-formats.ts',
  client: 'src/client/client.ts',
} as const;

/** Packages that the entry points need at run time. The Node tier and the tools need more, but are not in the package. */
const dependencies = [
  '@hono/zod-openapi',
  '@jsquash/webp',
  '@remix-run/multipart-parser',
  'aws4fetch',
  'hono',
  'ipaddr.js',
  'jsonpointer',
  'zod',
] as const;
const optionalPeers = ['onnxruntime-web'] as const;

/**
 * `npm run build:package`: two folders that `npm pack` makes packages of. dist/package is the edge for other Workers;
 * dist/client is the client alone, a few kilobytes for browsers.
 */
export const buildPackage = defineCommand({
  usage: `Usage: npm run build:package

Writes dist/package (npm pack ./dist/package) and dist/client (npm pack ./dist/client).`,
  options: {},
  operands: { min: 0, max: 0 },
  async run() {
    const root = JSON.parse(await readFile(join(projectRoot, 'package.json'), 'utf8')) as RootPackage;
    const folder = join(projectRoot, 'dist/package');
    await rm(join(projectRoot, 'dist'), { recursive: true, force: true });
    await bundle(folder);
    emitTypes('functions/package');
    await copyFiles(folder);
    await writeJson(join(folder, 'package.json'), describePackage(root));
    await buildClient(root);
    return 0;
  },
});

interface RootPackage {
  readonly version: string;
  readonly license: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** JavaScript with what the entry points share in chunks; other packages and .wasm files stay imports. */
async function bundle(folder: string): Promise<void> {
  const { metafile } = await build({
    entryPoints: Object.fromEntries(
      Object.entries(entryPoints).map(([name, path]) => [name, join(projectRoot, path)]),
    ),
    outdir: join(folder, 'dist'),
    bundle: true,
    splitting: true,
    metafile: true,
    plugins: [vendorLibheif(folder)],
    external: ['node:*', ...[...dependencies, ...optionalPeers].flatMap((name) => [name, `${name}/*`])],
    loader: { '.wasm': 'copy' },
    format: 'esm',
    target: 'es2024',
    platform: 'neutral',
    logLevel: 'warning',
  });
  const imported = Object.values(metafile.outputs).flatMap(({ imports }) =>
    imports.filter(({ external, path }) => external && !path.startsWith('.')).map(({ path }) => path),
  );
  const known: readonly string[] = [...dependencies, ...optionalPeers];
  const unknown = imported.filter(
    (path) =>
      !path.startsWith('node:') && !known.some((name) => path === name || path.startsWith(`${name}/`)),
  );
  if (unknown.length > 0) throw new Error(`The package would need ${[...new Set(unknown)].join(', ')}.`);
}

/**
 * libheif-js contains every build of libheif, 8 MB. The package contains only the one that it uses, unchanged and as a file
 * of its own, so that a user can replace it by another libheif, as the licence demands.
 */
function vendorLibheif(folder: string): Plugin {
  const source = join(projectRoot, 'node_modules/libheif-js/libheif-wasm');
  return {
    name: 'vendor-libheif',
    setup({ onResolve, onEnd }) {
      onResolve({ filter: /^libheif-js\/libheif-wasm\/libheif\.js$/ }, () => ({
        path: './vendor/libheif.cjs',
        external: true,
      }));
      onEnd(async () => {
        const target = join(folder, 'dist/vendor');
        await mkdir(target, { recursive: true });
        await cp(join(source, 'libheif.js'), join(target, 'libheif.cjs'));
        await cp(join(source, 'LICENSE'), join(target, 'LICENSE.libheif'));
      });
    },
  };
}

/** Runs tsc on the tsconfig.json of a folder, which says where declarations go. */
function emitTypes(folder: string): void {
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', folder], {
    cwd: projectRoot,
    stdio: 'inherit',
  });
}

async function copyFiles(folder: string): Promise<void> {
  for (const name of ['LICENSE', 'NOTICE']) await cp(join(projectRoot, name), join(folder, name));
  for (const name of ['README.md', 'wrangler.toml']) {
    await cp(join(projectRoot, 'functions/package', name), join(folder, name));
  }
  await cp(join(projectRoot, 'src/jobs/migrations'), join(folder, 'migrations'), { recursive: true });
  await buildWeb(join(folder, 'web'));
  for (const [key, { path }] of await verifyAssets()) {
    // Left out, because resnet-edge-models derives it from model.onnx.
    if (path.endsWith('.rni8')) continue;
    await mkdir(join(folder, 'model', key, '..'), { recursive: true });
    await cp(path, join(folder, 'model', key));
  }
  const bin = join(folder, 'bin/put-models.js');
  await build({
    entryPoints: [join(projectRoot, 'src/cli/package/put-models.ts')],
    outfile: bin,
    bundle: true,
    banner: { js: '#!/usr/bin/env node' },
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'warning',
  });
  await chmod(bin, 0o755);
}

function describePackage({ version, license, dependencies: versions }: RootPackage) {
  const pick = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, versions[name]]));
  return {
    name: 'resnet-edge',
    version,
    description: 'ResNet image classification in a Cloudflare Worker: image bytes in, labels out.',
    license,
    keywords: ['cloudflare-workers', 'image-classification', 'resnet', 'image-decoder', 'webassembly'],
    type: 'module',
    sideEffects: false,
    bin: { 'resnet-edge-models': './bin/put-models.js' },
    exports: Object.fromEntries(
      Object.entries(entryPoints).map(([name, path]) => [
        `./${name}`,
        { types: `./types/${path.replace(/\.ts$/, '.d.ts')}`, default: `./dist/${name}.js` },
      ]),
    ),
    dependencies: pick(dependencies),
    peerDependencies: pick(optionalPeers),
    peerDependenciesMeta: Object.fromEntries(optionalPeers.map((name) => [name, { optional: true }])),
  };
}

async function buildClient({ version, license }: RootPackage): Promise<void> {
  const outDir = join(projectRoot, 'dist/client');
  await build({
    entryPoints: [join(projectRoot, 'src/client/client.ts')],
    outfile: join(outDir, 'client.js'),
    bundle: true,
    format: 'esm',
    target: 'es2022',
    logLevel: 'warning',
  });
  emitTypes('src/client');
  await writeJson(join(outDir, 'package.json'), {
    name: 'resnet-edge-client',
    version,
    description: 'Client of a resnet-edge service: image in, labels out.',
    license,
    type: 'module',
    sideEffects: false,
    exports: { '.': { types: './client/client.d.ts', default: './client.js' } },
  });
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFile(path, `${JSON.stringify(value, undefined, 2)}\n`);
}
