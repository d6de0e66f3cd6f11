import { CodedError } from '../errors.ts';
import { type KvFileMetadata, toKvPartKey } from './kv-parts.ts';
import type { ModelStore } from './model-store.ts';

/** Model files in a Workers KV namespace: the second source, close to every location. */
export function createKvModelStore(namespace: KVNamespace): ModelStore {
  return {
    async open(key) {
      const first = await getPart(namespace, key);
      if (!first) return undefined;
      const { metadata } = first;
      if (!isFileMetadata(metadata)) {
        await first.value.cancel();
        throw new CodedError('model_corrupt', `The KV value "${key}" lacks its metadata.`, {
          retryAfterSeconds: 30,
        });
      }
      return { bytes: metadata.bytes, body: joinParts(namespace, key, metadata.parts, first.value) };
    },
  };
}

function joinParts(
  namespace: KVNamespace,
  key: string,
  parts: number,
  first: ReadableStream<Uint8Array>,
): ReadableStream<Uint8Array> {
  let reader = first.getReader();
  let part = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      for (;;) {
        const { done, value } = await reader.read();
        if (!done) {
          controller.enqueue(value);
          return;
        }
        part++;
        if (part >= parts) {
          controller.close();
          return;
        }
        const next = await getPart(namespace, toKvPartKey(key, part));
        if (!next) throw new CodedError('model_unavailable', `Part ${part} of "${key}" is missing from KV.`);
        reader = next.value.getReader();
      }
    },
    cancel: () => reader.cancel(),
  });
}

async function getPart(namespace: KVNamespace, key: string) {
  try {
    const { value, metadata } = await namespace.getWithMetadata<unknown>(key, { type: 'stream' });
    return value ? { value: value as ReadableStream<Uint8Array>, metadata } : undefined;
  } catch (cause) {
    throw new CodedError('model_unavailable', 'The model store does not answer.', {
      cause,
      retryAfterSeconds: 2,
    });
  }
}

function isFileMetadata(metadata: unknown): metadata is KvFileMetadata {
  if (typeof metadata !== 'object' || metadata === null) return false;
  const { bytes, parts } = metadata as Partial<KvFileMetadata>;
  return Number.isSafeInteger(bytes) && Number.isSafeInteger(parts) && parts! >= 1 && parts! <= 64;
}
