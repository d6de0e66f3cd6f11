import { cp, mkdir, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { projectRoot } from './paths.ts';

const outDir = join(projectRoot, '.build/web');
const webDir = join(projectRoot, 'src/web');

/**
 * `npm run build:web`: the pages that wrangler.toml serves as assets. Each page has its script and its
 * styles in files of their own, so that the content security policy can forbid everything else.
 */
export async function buildWeb(): Promise<void> {
  const assets = join(outDir, 'assets');
  await rm(outDir, { recursive: true, force: true });
  await mkdir(assets, { recursive: true });
  await build({
    entryPoints: [join(webDir, 'demo.ts'), join(webDir, 'demo.css'), join(webDir, 'docs.ts')],
    outdir: assets,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    logLevel: 'warning',
  });
  for (const page of ['demo.html', 'docs.html']) await cp(join(webDir, page), join(outDir, page));
  const swagger = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  for (const file of ['swagger-ui-bundle.js', 'swagger-ui.css'])
    await cp(join(swagger, file), join(assets, file));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildWeb();
