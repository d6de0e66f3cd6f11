import { CodedError } from '../errors.ts';
import { yieldToOthers } from '../lib/yield-to-others.ts';
import { modelChunkBytes, modelReadTimeoutMs, modelTurnBytes } from '../limits.ts';
import type { ModelFile } from './manifest.ts';
import type { StoredObject } from './model-store.ts';

/** Incremental SHA-256. Workers and Node each have a native one; functions/ chooses. */
export interface Sha256 {
  update(chunk: Uint8Array): Promise<void> | void;
  /** Lower-case hex. Called once, after the last update. */
  digest(): Promise<string> | string;
}

export type CreateSha256 = () => Sha256;

/**
 * Gives the bytes of a stored file and hashes them on the way, without holding them. A consumer must not use the bytes
 * before the last chunk has come, because only then is the hash known. It must copy a chunk before it asks for the next
 * one, which may come in the same memory.
 *
 * @throws {CodedError} `model_corrupt` on a wrong size or hash; `model_unavailable` if reading fails.
 */
export async function* readVerifiedChunks(
  object: StoredObject,
  file: ModelFile,
  createSha256: CreateSha256,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (object.bytes !== file.bytes) {
    await object.body.cancel();
    throw corrupt(file, `has ${object.bytes} bytes, not ${file.bytes}`);
  }
  const sha256 = createSha256();
  const reader = watchStream(openReader(object.body), file);
  let received = 0;
  try {
    for (let shared = 0; ; ) {
      const { done, value } = await reader.read();
      if (done) break;
      received += value.byteLength;
      await sha256.update(value);
      yield value;
      if (received - shared < modelTurnBytes) continue;
      shared = received;
      await yieldToOthers();
    }
  } finally {
    reader.cancel();
  }
  // Fewer bytes than promised mean that the read failed, not that the file is wrong.
  if (received < file.bytes) throw cutShort(file, `${received} of ${file.bytes} bytes`);
  const digest = await sha256.digest();
  if (digest !== file.sha256) throw corrupt(file, 'has another SHA-256 than its manifest says');
}

interface ChunkReader {
  read(): Promise<ReadableStreamReadResult<Uint8Array>>;
  cancel(): Promise<void>;
}

/** Reads into memory of its own. Otherwise R2 gives 4 kB at a time: 4,000 chunks of a model, each dearer than its hash. */
function openReader(body: ReadableStream<Uint8Array>): ChunkReader {
  let reader: ReadableStreamBYOBReader;
  try {
    reader = body.getReader({ mode: 'byob' });
  } catch {
    return body.getReader(); // not every store's stream takes memory
  }
  let buffer = new ArrayBuffer(modelChunkBytes);
  return {
    async read() {
      const result = await reader.read(new Uint8Array(buffer));
      if (result.value) buffer = result.value.buffer;
      return result as ReadableStreamReadResult<Uint8Array>;
    },
    cancel: () => reader.cancel(),
  };
}

/**
 * Cancels the stream of a store that stops in the middle, because another source may have the file. One timer watches all
 * reads: a model comes in thousands of chunks, and a timer for each took as long as their hash.
 */
function watchStream(reader: ChunkReader, file: ModelFile) {
  let pending: { readonly since: number; readonly giveUp: (error: CodedError) => void } | undefined;
  const timer = setInterval(() => {
    if (!pending || Date.now() - pending.since < modelReadTimeoutMs) return;
    pending.giveUp(cutShort(file, `nothing for ${modelReadTimeoutMs} ms`));
  }, modelReadTimeoutMs / 8);
  return {
    async read(): Promise<ReadableStreamReadResult<Uint8Array>> {
      try {
        return await new Promise((resolve, reject) => {
          pending = { since: Date.now(), giveUp: reject };
          reader.read().then(resolve, (cause: unknown) => reject(cutShort(file, cause)));
        });
      } finally {
        pending = undefined;
      }
    },
    cancel(): void {
      clearInterval(timer);
      // Not awaited, because a stalled stream may never confirm.
      reader.cancel().catch(() => undefined);
    },
  };
}

function cutShort(file: ModelFile, cause: unknown): CodedError {
  return new CodedError('model_unavailable', `Reading ${file.file} was cut short.`, {
    cause,
    retryAfterSeconds: 2,
  });
}

function corrupt(file: ModelFile, what: string): CodedError {
  return new CodedError('model_corrupt', `The stored model file ${file.file} ${what}.`, {
    retryAfterSeconds: 30,
  });
}
