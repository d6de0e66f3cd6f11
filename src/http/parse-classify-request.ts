import { z } from 'zod';
import { CodedError } from '../errors.ts';
import { maxBodyBytes, maxImagesPerRequest, maxMultipartFields } from '../limits.ts';
import { decodeBase64Image } from './base64-image.ts';
import { readBody } from './read-body.ts';
import {
  optionNames,
  parseOptions,
  type RawOptions,
  type RequestOptions,
  readOptions,
} from './request-options.ts';

/** One image of a request. Bytes are fetched when its turn comes, so that only one is held at a time. */
export interface ImageInput {
  /** The client's file name, if the request had one. */
  readonly name: string | undefined;
  readBytes(): Promise<Uint8Array>;
}

export interface ClassifyRequest extends RequestOptions {
  readonly images: readonly ImageInput[];
}

/** curl's --data-binary sends form-urlencoded unless told otherwise; the bytes decide what it is. */
const rawMediaTypes = ['application/octet-stream', 'application/x-www-form-urlencoded'];

const jsonBodySchema = z.strictObject({
  image: z.string().min(1),
  ...Object.fromEntries(optionNames.map((name) => [name, z.unknown().optional()])),
});

/**
 * Raw bytes, multipart or JSON to images and options. Options come from the query string; the
 * fields of a multipart or JSON body go first.
 *
 * @throws {CodedError} `body_*`, `media_type_unsupported`, `json_invalid`, `base64_invalid`,
 *   `multipart_invalid`, `image_field_missing`, `too_many_images`, `option_invalid`.
 */
export async function parseClassifyRequest(request: Request): Promise<ClassifyRequest> {
  const query = new URL(request.url).searchParams;
  const options = readOptions((name) => query.get(name));
  const contentType = request.headers.get('content-type') ?? '';
  const mediaType = contentType.split(';', 1)[0]!.trim().toLowerCase();

  if (mediaType === 'multipart/form-data') return await parseMultipart(request, contentType, options);
  if (mediaType === 'application/json') return await parseJsonBody(request, options);
  if (mediaType === '' || mediaType.startsWith('image/') || rawMediaTypes.includes(mediaType)) {
    const parsed = parseOptions(options); // before the body: a wrong option should not cost an upload
    const bytes = await readBody(request, maxBodyBytes);
    return { ...parsed, images: [{ name: undefined, readBytes: async () => bytes }] };
  }
  throw new CodedError(
    'media_type_unsupported',
    `Cannot read "${mediaType.slice(0, 80)}". Send image bytes (image/* or application/octet-stream), multipart/form-data or application/json.`,
  );
}

async function parseJsonBody(request: Request, query: RawOptions): Promise<ClassifyRequest> {
  const text = new TextDecoder().decode(await readBody(request, maxBodyBytes));
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new CodedError('json_invalid', 'The body is not JSON.');
  }
  const body = jsonBodySchema.safeParse(json);
  if (!body.success) {
    const issue = body.error.issues[0]!;
    const where = issue.path.length > 0 ? `${issue.path.join('.')}: ` : '';
    throw new CodedError(
      'json_invalid',
      `${where}${issue.message}. Expected {"image": "<base64 or data: URL>"}.`,
    );
  }
  const fields: Readonly<Record<string, unknown>> = body.data;
  const options = parseOptions({ ...query, ...readOptions((name) => fields[name]) });
  const bytes = decodeBase64Image(body.data.image as string);
  return { ...options, images: [{ name: undefined, readBytes: async () => bytes }] };
}

async function parseMultipart(
  request: Request,
  contentType: string,
  query: RawOptions,
): Promise<ClassifyRequest> {
  const form = await readForm(request, contentType);
  if ([...form.keys()].length > maxMultipartFields) {
    throw new CodedError('multipart_invalid', `More than ${maxMultipartFields} fields.`);
  }
  const files = form.getAll('image').filter((value) => typeof value !== 'string');
  if (files.length === 0) {
    const names = [...new Set(form.keys())].slice(0, 5).map((name) => `"${name.slice(0, 40)}"`);
    const found = names.length > 0 ? ` Found ${names.join(', ')}.` : '';
    throw new CodedError('image_field_missing', `A multipart body needs a file field named "image".${found}`);
  }
  if (files.length > maxImagesPerRequest) {
    throw new CodedError(
      'too_many_images',
      `${files.length} images, at most ${maxImagesPerRequest} are taken.`,
    );
  }
  const options = parseOptions({ ...query, ...readOptions((name) => form.get(name)) });
  const images = files.map((file) => ({
    name: file.name,
    async readBytes() {
      if (file.size === 0) throw new CodedError('body_empty', 'The file is empty.');
      return new Uint8Array(await file.arrayBuffer());
    },
  }));
  return { ...options, images };
}

async function readForm(request: Request, contentType: string): Promise<FormData> {
  // Read and counted first: formData() alone would take a body of any size.
  const bytes = await readBody(request, maxBodyBytes);
  try {
    return await new Response(bytes, { headers: { 'content-type': contentType } }).formData();
  } catch (cause) {
    throw new CodedError('multipart_invalid', 'The multipart body cannot be parsed.', { cause });
  }
}
