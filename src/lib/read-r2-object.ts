import type { R2Bucket } from '@cloudflare/workers-types';
import { CodedError } from '../errors.ts';

/**
 * A whole object of a bucket, whose size is looked at before its bytes.
 *
 * @returns undefined if there is none of this key.
 * @throws {CodedError} `body_too_large`.
 */
export async function readR2Object(
  bucket: R2Bucket,
  key: string,
  maxBytes: number,
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
  return new Uint8Array(await object.arrayBuffer());
}
