import type { Context } from 'hono';
import { CodedError } from '../../errors.ts';
import { maxJsonBodyBytes } from '../../limits.ts';
import type { HonoEnv } from '../context.ts';
import { decodeBase64Image } from '../image-request/base64-image.ts';
import { isRawImage, readRawImage } from '../image-request/parse-image-request.ts';
import { readJsonBody } from '../read-body.ts';

/**
 * The two bodies every image API takes: the image itself, or JSON that holds it.
 *
 * @param fromJson what the JSON holds: the image as base64 or as an array of bytes, and options.
 * @throws {CodedError} as `readRawImage` and `fromJson`; `media_type_unsupported`.
 */
export async function readDialectImage<T>(
  c: Context<HonoEnv>,
  fromJson: (json: unknown) => { image: string | readonly number[]; options: T },
): Promise<{ bytes: Uint8Array; options: T | undefined }> {
  const mediaType = (c.req.header('content-type') ?? '').split(';', 1)[0]!.trim().toLowerCase();
  if (mediaType === 'application/json') {
    const { image, options } = fromJson(await readJsonBody(c, maxJsonBodyBytes));
    const bytes = typeof image === 'string' ? decodeBase64Image(image) : Uint8Array.from(image);
    return { bytes, options };
  }
  if (!isRawImage(mediaType)) {
    throw new CodedError('media_type_unsupported', 'Send image bytes, or application/json.');
  }
  return { bytes: await readRawImage(c, mediaType), options: undefined };
}
