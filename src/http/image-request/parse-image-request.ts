import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { CodedError } from '../../errors.ts';
import { formatIssue } from '../../lib/format-issue.ts';
import { maxBodyBytes, maxImagesPerRequest, maxJsonBodyBytes, maxUrlLength } from '../../limits.ts';
import type { HonoEnv } from '../context.ts';
import { parseMultipartForm } from '../multipart/parse-multipart-form.ts';
import { readBody, readJsonBody } from '../read-body.ts';
import { decodeBase64Image } from './base64-image.ts';
import { type ImageReference, readImageReference } from './read-image-reference.ts';
import { type OptionSet, parseOptions, readOptions } from './request-options.ts';

/** One image of a request. */
export interface ImageInput {
  /** The client's file name, if the request had one. */
  readonly name: string | undefined;
  readonly bytes: Uint8Array;
}

/** A request about one image, with the options of its route. */
export type ImageRequest<Options> = Options & { readonly image: ImageInput };

/** A request about the images of a form; there is at least one. */
export type ImageFormRequest<Options> = Options & { readonly images: readonly ImageInput[] };

const formDataType = 'multipart/form-data';
const jsonType = 'application/json';

/** curl's --data-binary sends form-urlencoded unless told otherwise; the bytes decide what it is. */
const formMediaType = 'application/x-www-form-urlencoded';
const rawMediaTypes = ['application/octet-stream', 'binary/octet-stream', '*/*', 'text/plain', formMediaType];

/** `{`: no image begins with it. */
const openingBrace = 0x7b;

const imageField = z.string().min(1).openapi({ description: 'base64, or a base64 data: URL.' });
const urlField = z.string().min(1).max(maxUrlLength).openapi({ description: 'https URL of the picture.' });
const r2KeyField = z.string().min(1).max(1024).openapi({ description: 'Key in the bound bucket.' });

/** Where a picture is, if not in the body. */
export const referenceSchema = z.object({ url: urlField.optional(), r2_key: r2KeyField.optional() });

/** What a JSON body declares beside the options: one of these is needed. */
export const jsonImageShape = { image: imageField.optional(), ...referenceSchema.shape };

/** Checks the fields before the options, so that a wrong option gets an error of its own. */
const toImageFieldsSchema = (optionNames: readonly string[]) =>
  z
    .strictObject({
      image: imageField.nullish(),
      url: urlField.nullish(),
      r2_key: r2KeyField.nullish(),
      ...Object.fromEntries(optionNames.map((name) => [name, z.unknown().optional()])),
    })
    .refine(
      ({ image, url, r2_key }) => [image, url, r2_key].filter((field) => field != null).length === 1,
      'one of "image", "url" and "r2_key" is needed',
    );

/**
 * Reads an image and options from raw bytes, a form with one file, or JSON. Fields of a form or of JSON override the
 * options of the query string.
 *
 * @throws {CodedError} `body_*`, `media_type_unsupported`, `json_invalid`, `base64_invalid`,
 *   `multipart_invalid`, `image_field_missing`, `too_many_images`, `option_invalid`, `url_*`, `r2_*`.
 */
export async function parseImageRequest<Options>(
  c: Context<HonoEnv>,
  set: OptionSet<Options>,
): Promise<ImageRequest<Options>> {
  const mediaType = readMediaType(c);
  if (mediaType === formDataType) return await parseFormOfOne(c, set);
  if (mediaType === jsonType) return await parseImageJson(c, set);
  if (isRawImage(mediaType)) {
    // Checked before the body is read, so that a wrong option does not cost an upload.
    const parsed = parseOptions(
      set,
      readOptions(set, (name) => c.req.query(name)),
    );
    return { ...parsed, image: { name: undefined, bytes: await readRawImage(c, mediaType) } };
  }
  throw new CodedError(
    'media_type_unsupported',
    `Cannot read "${mediaType.slice(0, 80)}". Send image bytes (image/* or application/octet-stream), multipart/form-data or application/json.`,
  );
}

function readMediaType(c: Context<HonoEnv>): string {
  return (c.req.header('content-type') ?? '').split(';', 1)[0]!.trim().toLowerCase();
}

function assertMediaType(c: Context<HonoEnv>, expected: string): void {
  if (readMediaType(c) === expected) return;
  throw new CodedError(
    'media_type_unsupported',
    `${c.req.path} takes ${expected}; image bytes go to the path above it.`,
  );
}

async function parseFormOfOne<Options>(
  c: Context<HonoEnv>,
  set: OptionSet<Options>,
): Promise<ImageRequest<Options>> {
  const request = await parseImageForm(c, set);
  const [image, ...others] = request.images;
  if (image && others.length === 0) return { ...request, image };
  throw new CodedError(
    'too_many_images',
    `${request.images.length} images. POST ${c.req.path}/form takes up to ${maxImagesPerRequest}.`,
  );
}

/** Whether a body of this type is taken for the image itself. */
export function isRawImage(mediaType: string): boolean {
  return mediaType === '' || mediaType.startsWith('image/') || rawMediaTypes.includes(mediaType);
}

/**
 * A body that is the image itself.
 *
 * @throws {CodedError} as `readBody`; `media_type_unsupported` for JSON that is called a form (`curl -d '{...}'`) or a text.
 */
export async function readRawImage(c: Context<HonoEnv>, mediaType: string): Promise<Uint8Array> {
  const bytes = await readBody(c, maxBodyBytes);
  const mayBeText = mediaType === formMediaType || mediaType === 'text/plain';
  if (!mayBeText || bytes[0] !== openingBrace) return bytes;
  throw new CodedError(
    'media_type_unsupported',
    'This looks like JSON: send it with "Content-Type: application/json".',
  );
}

/** Reads a GET request: the query string has the image's address and the options. */
export async function parseImageQuery<Options>(
  c: Context<HonoEnv>,
  set: OptionSet<Options>,
): Promise<ImageRequest<Options>> {
  const reference: ImageReference = { url: c.req.query('url'), r2_key: c.req.query('r2_key') };
  if ((reference.url === undefined) === (reference.r2_key === undefined)) {
    throw new CodedError('option_invalid', 'GET needs one of url and r2_key; POST takes the image itself.');
  }
  const options = parseOptions(
    set,
    readOptions(set, (name) => c.req.query(name)),
  );
  return { ...options, image: { name: undefined, bytes: await readImageReference(c, reference) } };
}

/** Reads JSON that has the image, or says where it is. Throws as `parseImageRequest`. */
export async function parseImageJson<Options>(
  c: Context<HonoEnv>,
  set: OptionSet<Options>,
): Promise<ImageRequest<Options>> {
  assertMediaType(c, jsonType);
  const query = readOptions(set, (name) => c.req.query(name));
  const json = await readJsonBody(c, maxJsonBodyBytes);
  const body = toImageFieldsSchema(Object.keys(set.shape)).safeParse(json);
  if (!body.success) {
    const issue = formatIssue(body.error.issues[0], 'body');
    throw new CodedError(
      'json_invalid',
      `${issue}. Expected {"image": "<base64 or data: URL>"}, {"url"} or {"r2_key"}.`,
    );
  }
  const fields: Readonly<Record<string, unknown>> = body.data;
  const options = parseOptions(set, { ...query, ...readOptions(set, (name) => fields[name]) });
  // Some serialisers write null for missing fields.
  const { image, url, r2_key } = body.data;
  const bytes =
    image == null
      ? await readImageReference(c, { url: url ?? undefined, r2_key: r2_key ?? undefined })
      : decodeBase64Image(image);
  return { ...options, image: { name: undefined, bytes } };
}

/** Reads a form with 1 to 16 files. Throws as `parseImageRequest`. */
export async function parseImageForm<Options>(
  c: Context<HonoEnv>,
  set: OptionSet<Options>,
): Promise<ImageFormRequest<Options>> {
  assertMediaType(c, formDataType);
  const contentType = c.req.header('content-type') ?? '';
  const query = readOptions(set, (name) => c.req.query(name));
  const { files, fields } = parseMultipartForm(await readBody(c, maxBodyBytes), contentType);
  const images = files.filter(({ field }) => field === 'image');
  if (images.length === 0) {
    const names = [...new Set([...files.map(({ field }) => field), ...fields.keys()])]
      .slice(0, 5)
      .map((name) => `"${name.slice(0, 40)}"`);
    const found = names.length > 0 ? ` Found ${names.join(', ')}.` : '';
    throw new CodedError('image_field_missing', `A multipart body needs a file field named "image".${found}`);
  }
  if (images.length > maxImagesPerRequest) {
    throw new CodedError(
      'too_many_images',
      `${images.length} images, at most ${maxImagesPerRequest} are taken.`,
    );
  }
  // Browsers and generated clients send an empty text for a field that nobody has filled in.
  const chosen = readOptions(set, (name) => fields.get(name) || undefined);
  return { ...parseOptions(set, { ...query, ...chosen }), images };
}
