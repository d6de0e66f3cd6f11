import type { R2Bucket } from '@cloudflare/workers-types';
import { CodedError } from '../../errors.ts';
import { readR2Object } from '../../lib/read-r2-object.ts';
import { maxBodyBytes } from '../../limits.ts';
import { type InputReference, packKey } from './batch.ts';

/** Fetches the images that references name. */
export interface ImageGatherer {
  /**
   * @returns The whole file.
   * @throws {CodedError}; it is final if it has no `retryAfterSeconds`. Any other error may be tried again.
   */
  gather(batchId: string, reference: InputReference): Promise<Uint8Array>;
}

export interface GathererOptions {
  /** Holds the images that came with requests. */
  readonly batchBucket: R2Bucket;
  /** Holds the objects that `r2_key` names; undefined if no bucket is configured. */
  readonly imageBucket: R2Bucket | undefined;
  /** Guards against private addresses, limits size and time; throws as `gather` does. */
  readonly fetchImage: (url: string) => Promise<Uint8Array>;
}

export function createImageGatherer({
  batchBucket,
  imageBucket,
  fetchImage,
}: GathererOptions): ImageGatherer {
  return {
    async gather(batchId, reference) {
      if ('url' in reference) return await fetchImage(reference.url);
      if ('r2_key' in reference) return await readObject(imageBucket, reference.r2_key);
      const { pack, offset, bytes: length } = reference;
      const object = await batchBucket.get(packKey(batchId, pack), { range: { offset, length } });
      if (!object) throw new CodedError('image_not_found', 'The image is no longer stored.');
      return new Uint8Array(await object.arrayBuffer());
    },
  };
}

async function readObject(bucket: R2Bucket | undefined, key: string): Promise<Uint8Array> {
  const bytes = bucket && (await readR2Object(bucket, key, maxBodyBytes));
  if (!bytes) throw new CodedError('image_not_found', `There is no object "${key.slice(0, 200)}".`);
  return bytes;
}
