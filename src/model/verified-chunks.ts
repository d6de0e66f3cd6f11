import { CodedError } from '../errors.ts';
import { withTimeout } from '../lib/with-timeout.ts';
import { modelReadTimeoutMs } from '../limits.ts';
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
 * The bytes of a stored file, hashed on their way through. Nothing is held. A consumer must not use what it got
 * before the last chunk has come, because only then the hash is known.
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
  let received = 0;
  const reader = object.body.getReader();
  try {
    for (;;) {
      const { done, value } = await readInTime(reader, file);
      if (done) break;
      received += value.byteLength;
      await sha256.update(value);
      yield value;
    }
  } finally {
    // Not awaited: a stream that has stalled may never confirm.
    reader.cancel().catch(() => undefined);
  }
  // Fewer bytes than promised are a read that failed, not a file that is wrong.
  if (received < file.bytes) throw cutShort(file, `${received} of ${file.bytes} bytes`);
  const digest = await sha256.digest();
  if (digest !== file.sha256) throw corrupt(file, 'has another SHA-256 than its manifest says');
}

/** A store that stops in the middle must not hold a load for ever, when another source may have the file. */
async function readInTime(reader: ReadableStreamDefaultReader<Uint8Array>, file: ModelFile) {
  const read = reader.read().catch((cause: unknown) => {
    throw cutShort(file, cause);
  });
  return await withTimeout(read, modelReadTimeoutMs, () =>
    cutShort(file, `nothing for ${modelReadTimeoutMs} ms`),
  );
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
