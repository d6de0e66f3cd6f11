import { AwsClient } from 'aws4fetch';
import { CodedError } from '../errors.ts';
import type { ModelStore } from './model-store.ts';

export interface S3Options {
  /** R2: `https://<account>.r2.cloudflarestorage.com`. */
  readonly endpoint: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** A store that has not answered after this time counts as down. The body has a deadline of its own. */
const openTimeoutMs = 4000;

/** Model files in R2 (or any S3), for programs outside of Cloudflare. */
export function createS3ModelStore({
  endpoint,
  bucket,
  accessKeyId,
  secretAccessKey,
}: S3Options): ModelStore {
  const client = new AwsClient({ accessKeyId, secretAccessKey, service: 's3', region: 'auto', retries: 2 });
  return {
    async open(key) {
      const abort = new AbortController();
      const timer = setTimeout(() => abort.abort(), openTimeoutMs);
      let response: Response;
      try {
        response = await client.fetch(new URL(`${bucket}/${key}`, `${endpoint}/`).href, {
          signal: abort.signal,
        });
      } catch (cause) {
        throw silent(cause);
      } finally {
        clearTimeout(timer);
      }
      if (response.ok && response.body) {
        return { bytes: Number(response.headers.get('content-length')), body: response.body };
      }
      await response.body?.cancel();
      if (response.status === 404) return undefined;
      throw silent(`status ${response.status}`);
    },
  };
}

function silent(cause: unknown): CodedError {
  return new CodedError('model_unavailable', 'The model store does not answer.', {
    cause,
    retryAfterSeconds: 2,
  });
}
