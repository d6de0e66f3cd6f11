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
 * Fetches a referenced image into the isolate's budget of bodies.
 *
 * @throws {CodedError} `url_*`, `r2_*`, `overloaded`.
 */
export async function readImageReference(
  c: Context<HonoEnv>,
  reference: ImageReference,
): Promise<Uint8Array> {
  const { urls, readR2Image } = c.get('options');
  // The size is unknown until the image has come. Until then the largest allowed size is reserved.
  await c.get('admitBytes')(maxBodyBytes);
  if (reference.url !== undefined) {
    return await fetchPublic(reference.url, urls, { maxBytes: maxBodyBytes });
  }
  if (!readR2Image)
    throw new CodedError('r2_not_configured', 'No bucket of images is bound (IMAGES_BUCKET).');
  const bytes = await readR2Image(reference.r2_key ?? '', maxBodyBytes);
  if (!bytes) throw new CodedError('r2_key_unknown', 'The bucket has no object of this key.');
  return bytes;
}
