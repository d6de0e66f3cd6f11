import { env } from 'cloudflare:workers';

/** Bindings of the tests in this folder; auxiliary-edge.ts makes them. */
interface TestEnv {
  readonly MODELS: R2Bucket;
  readonly KV: KVNamespace;
  /** The built Worker. */
  readonly EDGE: Fetcher;
  /** Files of the repository. */
  readonly FILES: Fetcher;
}

// The runtime types every binding as unknown: this file is where they get their names.
export const { MODELS, KV, EDGE, FILES } = env as unknown as TestEnv;

export async function readFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const file = await findFile(path);
  if (file === undefined) throw new Error(`There is no ${path}.`);
  return file;
}

/** @returns undefined if there is none. */
export async function findFile(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const response = await FILES.fetch(`http://files/${path}`);
  const bytes = await response.arrayBuffer();
  return response.ok ? new Uint8Array(bytes) : undefined;
}

export async function seedModels(): Promise<void> {
  for (const key of [
    'catalog.json',
    ...['manifest.json', 'model.rni8', 'labels.json'].map((file) => `resnet18-imagenet1k/3/${file}`),
  ]) {
    await MODELS.put(key, await readFile(`assets/${key}`));
  }
}
