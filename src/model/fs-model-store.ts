import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { ReadableStream as NodeReadableStream } from 'node:stream/web';
import { CodedError } from '../errors.ts';
import type { ModelStore } from './model-store.ts';

/** Keys as the catalogue and manifests make them. No such key can leave the folder. */
const safeKey = /^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*){0,2}$/;

/** Model files in a folder: model-assets itself, or a disk of the Node tier. */
export function createFsModelStore(root: string): ModelStore {
  return {
    async open(key) {
      if (!safeKey.test(key)) return undefined;
      const path = join(root, key);
      try {
        const entry = await stat(path);
        if (!entry.isFile()) return undefined;
        const body = Readable.toWeb(createReadStream(path)) as NodeReadableStream<Uint8Array>;
        return { bytes: entry.size, body: body as ReadableStream<Uint8Array> };
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw new CodedError('model_unavailable', 'The model store does not answer.', {
          cause,
          retryAfterSeconds: 2,
        });
      }
    },
  };
}
