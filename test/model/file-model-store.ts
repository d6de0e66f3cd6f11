import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { ModelStore } from '../../src/model/model-store.ts';
import type { Sha256 } from '../../src/model/verified-chunks.ts';
import { assetPath } from '../golden/golden.ts';

/** model-assets behind the store contract, with a place to break things: `intercept` sees each read first. */
export function createFileModelStore(
  intercept: (
    key: string,
    bytes: Uint8Array,
  ) => ReadableStream<Uint8Array> | Uint8Array | Error | undefined = (_, bytes) => bytes,
): ModelStore & { readonly opened: string[] } {
  const opened: string[] = [];
  return {
    opened,
    async open(key) {
      opened.push(key);
      const intact = new Uint8Array(await readFile(assetPath(key)));
      const served = intercept(key, intact);
      if (served === undefined) return undefined;
      if (served instanceof Error) throw served;
      if (served instanceof ReadableStream) return { bytes: intact.length, body: served };
      return { bytes: served.length, body: new Blob([served as Uint8Array<ArrayBuffer>]).stream() };
    },
  };
}

export function createNodeSha256(): Sha256 {
  const hash = createHash('sha256');
  return { update: (chunk) => void hash.update(chunk), digest: () => hash.digest('hex') };
}
