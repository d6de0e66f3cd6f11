import { cp, mkdir, readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { projectRoot } from '../paths.ts';

/** What a phone loads before the page does anything; it has 18 kB now. */
const maxPageGzipBytes = 40_000;

const webDir = join(projectRoot, 'src/web');

/**
 * Builds the pages that wrangler.toml serves as assets. Each page has its script and its styles in files of their
 * own, so that the content security policy can forbid everything else.
 *
 * @param folder an empty folder.
 */
export async function buildWeb(folder: string): Promise<void> {
  const assets = join(folder, 'assets');
  await mkdir(assets, { recursive: true });
  const { build } = await import('esbuild');
  await build({
    entryPoints: {
      page: join(webDir, 'page.ts'),
      'page-styles': join(webDir, 'styles/page.css'),
      docs: join(webDir, 'docs.ts'),
      'docs-styles': join(webDir, 'styles/docs.css'),
    },
    outdir: assets,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    logLevel: 'warning',
  });
  await assertSmall(join(assets, 'page.js'));
  for (const page of ['page.html', 'docs.html']) await cp(join(webDir, page), join(folder, page));
  await cp(join(webDir, 'icon.svg'), join(assets, 'icon.svg'));
  for (const photo of await readdir(join(webDir, 'samples')))
    await cp(join(webDir, 'samples', photo), join(assets, `sample-${photo}`));
  const swagger = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  for (const file of ['swagger-ui-bundle.js', 'swagger-ui.css'])
    await cp(join(swagger, file), join(assets, file));
}

async function assertSmall(script: string): Promise<void> {
  const { length } = gzipSync(await readFile(script));
  if (length > maxPageGzipBytes) {
    throw new Error(`The page's script has ${length} bytes gzip, at most ${maxPageGzipBytes} are meant.`);
  }
}
