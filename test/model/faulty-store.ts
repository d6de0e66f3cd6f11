import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { createFsModelStore } from '../../src/model/fs-model-store.ts';
import type { ModelStore } from '../../src/model/model-store.ts';
import { writeStore } from '../golden/default-versions.ts';

const root = await mkdtemp(join(tmpdir(), 'resnet-edge-store-'));
await writeStore(root);
afterAll(() => rm(root, { recursive: true }));

/** What a broken store gives in place of the intact bytes; undefined is "no such object". */
export type Fault = (
  key: string,
  bytes: Uint8Array<ArrayBuffer>,
) => ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | Error | undefined;

/** model-assets through the real file store, with a place to break things and a record of what was asked. */
export function createFaultyStore(
  fault: Fault = (_, bytes) => bytes,
): ModelStore & { readonly opened: string[] } {
  const intactStore = createFsModelStore(root);
  const opened: string[] = [];
  return {
    opened,
    async open(key) {
      opened.push(key);
      const object = await intactStore.open(key);
      if (!object) return undefined;
      const intact = new Uint8Array(await new Response(object.body).arrayBuffer());
      const served = fault(key, intact);
      if (served === undefined) return undefined;
      if (served instanceof Error) throw served;
      if (served instanceof ReadableStream) return { bytes: intact.length, body: served };
      return { bytes: served.length, body: new Blob([served]).stream() };
    },
  };
}
