import type { R2Bucket } from '@cloudflare/workers-types';
import { CodedError } from '../errors.ts';

/**
 * Reads a whole object of a bucket. Checks its size first.
 *
 * @param hold waits until `bytes` may be kept; called before they are read.
 * @returns undefined if the bucket has no object of this key.
 * @throws {CodedError} `body_too_large`; what `hold` throws.
 */
export async function readR2Object(
  bucket: R2Bucket,
  key: string,
  maxBytes: number,
  hold?: (bytes: number) => Promise<void>,
): Promise<Uint8Array | undefined> {
  const object = await bucket.get(key);
  if (!object) return undefined;
  if (object.size > maxBytes) {
    await object.body.cancel();
    throw new CodedError(
      'body_too_large',
      `The object has ${object.size} bytes, at most ${maxBytes} are taken.`,
    );
  }
  try {
    await hold?.(object.size);
  } catch (error) {
    await object.body.cancel();
    throw error;
  }
  return new Uint8Array(await object.arrayBuffer());
}
