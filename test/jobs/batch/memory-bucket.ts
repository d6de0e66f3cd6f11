import type { R2Bucket } from '@cloudflare/workers-types';

interface Stored {
  readonly bytes: Uint8Array;
  readonly etag: string;
}

export interface MemoryBucket {
  readonly bucket: R2Bucket;
  readonly objects: Map<string, Stored>;
  /** Called before each write: another consumer may write first. */
  beforePut: (key: string) => Promise<void>;
}

/** The part of R2 that batches use: conditional writes, and lists of a few keys at a time. */
export function createMemoryBucket(keysPerList = 2): MemoryBucket {
  const objects = new Map<string, Stored>();
  let writes = 0;
  const bucket = {
    async get(key: string, options?: { range?: { offset: number; length: number } }) {
      const stored = objects.get(key);
      if (!stored) return null;
      const { offset = 0, length = stored.bytes.length } = options?.range ?? {};
      const bytes = stored.bytes.slice(offset, offset + length);
      return {
        etag: stored.etag,
        size: stored.bytes.length,
        text: async () => new TextDecoder().decode(bytes),
        arrayBuffer: async () => bytes.buffer,
      };
    },
    async put(
      key: string,
      value: string | Uint8Array,
      { onlyIf }: { onlyIf?: { etagMatches?: string; etagDoesNotMatch?: string } } = {},
    ) {
      await memory.beforePut(key);
      const now = objects.get(key)?.etag;
      if (onlyIf?.etagMatches !== undefined && now !== onlyIf.etagMatches) return null;
      if (onlyIf?.etagDoesNotMatch === '*' && now !== undefined) return null;
      const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
      objects.set(key, { bytes, etag: String(++writes) });
      return { etag: String(writes) };
    },
    async list({ prefix }: { prefix: string }) {
      const keys = [...objects.keys()].filter((key) => key.startsWith(prefix));
      return {
        objects: keys.slice(0, keysPerList).map((key) => ({ key })),
        truncated: keys.length > keysPerList,
      };
    },
    async delete(keys: readonly string[]) {
      for (const key of keys) objects.delete(key);
    },
  };
  const memory: MemoryBucket = {
    bucket: bucket as unknown as R2Bucket,
    objects,
    beforePut: async () => undefined,
  };
  return memory;
}
