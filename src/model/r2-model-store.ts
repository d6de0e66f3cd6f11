import { CodedError } from '../errors.ts';
import type { ModelStore } from './model-store.ts';

/** Model files in a Cloudflare R2 bucket. */
export function createR2ModelStore(bucket: R2Bucket): ModelStore {
  return {
    async open(key) {
      let object: R2ObjectBody | null;
      try {
        object = await bucket.get(key);
      } catch (cause) {
        throw new CodedError('model_unavailable', 'The model store does not answer.', {
          cause,
          retryAfterSeconds: 2,
        });
      }
      return object ? { bytes: object.size, body: object.body } : undefined;
    },
  };
}
