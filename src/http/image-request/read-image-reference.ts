import type { Context } from 'hono';
import { CodedError } from '../../errors.ts';
import { fetchPublic } from '../../lib/net/fetch-public.ts';
import { maxBodyBytes } from '../../limits.ts';
import type { HonoEnv } from '../context.ts';

/** An image that is somewhere else. Exactly one of the two. */
export interface ImageReference {
  readonly url?: string | undefined;
  readonly r2_key?: string | undefined;
}

/**
 * Fetches a referenced image. Its bytes count against the isolate's budget of bodies as they come.
 *
 * @throws {CodedError} `url_*`, `r2_*`, `overloaded`.
 */
export async function readImageReference(
  c: Context<HonoEnv>,
  reference: ImageReference,
): Promise<Uint8Array> {
  const { urls, readR2Image } = c.get('options');
  const body = c.get('openBody')(maxBodyBytes);
  const hold = (bytes: number) => body.growTo(bytes);
  if (reference.url !== undefined) {
    const bytes = await fetchPublic(reference.url, urls, { maxBytes: maxBodyBytes, hold });
    body.settle();
    return bytes;
  }
  if (!readR2Image)
    throw new CodedError('r2_not_configured', 'No bucket of images is bound (IMAGES_BUCKET).');
  const bytes = await readR2Image(reference.r2_key ?? '', maxBodyBytes, hold);
  body.settle();
  if (!bytes) throw new CodedError('r2_key_unknown', 'The bucket has no object of this key.');
  return bytes;
}
