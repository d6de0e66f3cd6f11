import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildDir } from '../../src/cli/paths.ts';
import { readAsset } from '../golden/default-versions.ts';
import { goldenPath, sharedPath } from '../golden/golden.ts';

const compatibilityDate = '2026-11-01';
const compatibilityFlags = ['nodejs_compat'];

/**
 * Miniflare options for tests that run inside workerd: the built Worker beside them as `EDGE`,
 * sharing the R2 bucket `MODELS`. Bundling it into the tests instead would take 20 s a run.
 */
export async function auxiliaryEdge() {
  const files = await readdir(buildDir);
  const wasm = files.filter((file) => file.endsWith('.wasm'));
  return {
    compatibilityDate,
    compatibilityFlags,
    // What a test imports; workerd compiles none from bytes.
    modulesRules: [{ type: 'CompiledWasm' as const, include: ['**/*.wasm', '**/*.wasm?module'] }],
    r2Buckets: { MODELS: 'resnet-edge-models' },
    kvNamespaces: ['KV'],
    serviceBindings: { EDGE: 'edge', FILES: serveFile },
    workers: [
      {
        name: 'edge',
        compatibilityDate,
        compatibilityFlags,
        modulesRoot: buildDir,
        modules: [
          { type: 'ESModule' as const, path: join(buildDir, 'edge.js') },
          ...wasm.map((file) => ({ type: 'CompiledWasm' as const, path: join(buildDir, file) })),
        ],
        r2Buckets: { MODELS: 'resnet-edge-models' },
        bindings: { PUBLIC_SCOPES: 'classify', CATALOG_TTL_SECONDS: '0', ANSWER_CACHE_SECONDS: '0' },
      },
    ],
  };
}

/**
 * Hands the repository's files to tests, which have no file system: /assets/KEY, /golden/FILE, /fixtures/PATH, and
 * /shared/PATH of RESNET_EDGE_SHARED.
 */
async function serveFile(request: { readonly url: string }): Promise<Response> {
  const [, folder, ...rest] = new URL(request.url).pathname.split('/').map(decodeURIComponent);
  const name = rest.join('/');
  try {
    return new Response(await readFrom(folder, name));
  } catch {
    return new Response(null, { status: 404 });
  }
}

async function readFrom(folder: string | undefined, name: string): Promise<Uint8Array<ArrayBuffer>> {
  switch (folder) {
    case 'assets':
      return new Uint8Array(await readAsset(name));
    case 'fixtures':
      return new Uint8Array(await readFile(new URL(`../fixtures/${name}`, import.meta.url)));
    case 'shared':
      return new Uint8Array(await readFile(sharedPath(name)));
    default:
      return new Uint8Array(await readFile(goldenPath(name)));
  }
}
