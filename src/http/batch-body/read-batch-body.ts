import { MultipartParseError, MultipartParser } from '@remix-run/multipart-parser';
import { z } from 'zod';
import { CodedError } from '../../errors.ts';
import { batchTasks } from '../../jobs/batch/batch.ts';
import type { BatchInputs, BatchOptions, RawInput } from '../../jobs/batch/batch-inputs.ts';
import { formatIssue } from '../../lib/format-issue.ts';
import { parseUntrustedJson } from '../../lib/parse-untrusted-json.ts';
import {
  defaultTopK,
  jsonBodyWeight,
  maxBatchBodyBytes,
  maxBatchItems,
  maxBatchTopK,
  maxBodyBytes,
  maxJsonBodyBytes,
  maxMetadataBytes,
  maxModelNameLength,
  maxUrlLength,
} from '../../limits.ts';
import type { CreateSha256 } from '../../model/verified-chunks.ts';
import { decodeBase64Image } from '../image-request/base64-image.ts';
import { type FormPart, readBoundary, readFormPart } from '../multipart/form-part.ts';
import { skipPreambleOf } from '../multipart/skip-preamble.ts';
import { countBody } from './count-body.ts';
import { splitJsonLines } from './split-json-lines.ts';

const optionsSchema = z.strictObject({
  model: z.string().min(1).max(maxModelNameLength).optional(),
  task: z.enum(batchTasks).default('classify'),
  top_k: z
    .union([
      z.int(),
      z
        .string()
        .regex(/^\d{1,5}$/)
        .transform(Number),
    ])
    .pipe(z.int().min(1).max(maxBatchTopK))
    .default(defaultTopK),
  webhook_url: z
    .url({ protocol: /^https?$/ })
    .max(maxUrlLength)
    .optional(),
  metadata: z
    .record(z.string(), z.unknown())
    .refine(
      (value) => JSON.stringify(value).length <= maxMetadataBytes,
      `more than ${maxMetadataBytes} characters`,
    )
    .default({}),
});
const optionNames = Object.keys(optionsSchema.shape);

const fileName = z.string().max(255).optional();
/** A line whose image was already decoded and cut out. An image that is still in the text is a second one. */
const imageLineSchema = z.strictObject({ image: z.literal('', 'an image comes twice'), name: fileName });

const inputSchema = z.union(
  [
    z.strictObject({ url: z.string().min(1).max(maxUrlLength) }),
    z.strictObject({ r2_key: z.string().min(1).max(1024) }),
    z.strictObject({ image: z.string().min(1), name: fileName }),
  ],
  'expected {"url": ...}, {"r2_key": ...} or {"image": "<base64>"}',
);

/**
 * Reads a batch from its body as it comes in:
 * `application/x-ndjson` one input a line, the first line may hold options instead;
 * `multipart/form-data` a file is an input, a field an option;
 * `application/json` `{"inputs": [...], ...options}`, read whole and therefore bounded as every other JSON.
 *
 * @param openItem begins to count the bytes of the next input against the isolate's budget, and gives back those of the
 *   last one.
 * @param isOverdue called while nothing comes: whether the current input keeps other requests waiting for too long.
 * @throws {CodedError} `media_type_unsupported`; from the iteration `body_*`, `json_invalid`, `base64_invalid`,
 *   `multipart_invalid`, `too_many_images`.
 */
export function readBatchBody(
  request: Request,
  createSha256: CreateSha256,
  openItem: OpenItem,
  isOverdue: () => boolean = () => false,
): BatchInputs {
  const query = new URL(request.url).searchParams;
  const contentType = request.headers.get('content-type') ?? '';
  const found: Record<string, unknown> = {};
  for (const name of optionNames) {
    const value = query.get(name);
    if (value !== null) setOption(found, name, value);
  }
  const mediaType = contentType.split(';', 1)[0]!.trim().toLowerCase();
  const read = readerOf(mediaType);
  const { chunks, digest } = countBody(request, maxBatchBodyBytes, createSha256, isOverdue);
  return {
    model: query.get('model') ?? undefined,
    inputs: limitCount(read(chunks, found, contentType, openItem)),
    options: () => parseOptions(found),
    digest,
  };
}

type Reader = (
  chunks: AsyncIterable<Uint8Array<ArrayBuffer>>,
  options: Record<string, unknown>,
  contentType: string,
  openItem: OpenItem,
) => AsyncGenerator<RawInput, void, undefined>;

/** Returns a function that waits until an input may hold so many bytes, and throws {CodedError} `overloaded`. */
export type OpenItem = () => (bytes: number) => Promise<void>;

function readerOf(mediaType: string): Reader {
  if (mediaType === 'application/x-ndjson' || mediaType === 'application/jsonl') return readLines;
  if (mediaType === 'multipart/form-data') return readParts;
  if (mediaType === 'application/json') return readJson;
  throw new CodedError(
    'media_type_unsupported',
    `Cannot read "${mediaType.slice(0, 80)}". Send application/x-ndjson, application/json or multipart/form-data.`,
  );
}

async function* limitCount(inputs: AsyncIterable<RawInput>): AsyncGenerator<RawInput, void, undefined> {
  let count = 0;
  for await (const input of inputs) {
    if (++count > maxBatchItems) {
      throw new CodedError('too_many_images', `At most ${maxBatchItems} inputs are taken in one batch.`);
    }
    yield input;
  }
  if (count === 0) throw new CodedError('image_field_missing', 'The batch has no inputs.');
}

const readLines: Reader = async function* (chunks, options, _, openItem) {
  let isFirst = true;
  let hold = openItem();
  for await (const { number, text, image } of splitJsonLines(chunks, (bytes) => hold(bytes))) {
    const where = `line ${number}`;
    if (text.trim() === '') continue;
    const json = parseJson(text, where);
    if (isFirst && image === undefined && isOptions(json)) Object.assign(options, json);
    else yield image === undefined ? parseInput(json, where) : parseImageLine(json, image, where);
    isFirst = false;
    hold = openItem();
  }
};

/** @param json of a line whose image was cut out. */
function parseImageLine(json: unknown, bytes: Uint8Array, where: string): RawInput {
  const parsed = imageLineSchema.safeParse(json);
  if (!parsed.success) throw new CodedError('json_invalid', `${where}: ${parsed.error.issues[0]!.message}.`);
  const { name } = parsed.data;
  return { bytes, ...(name !== undefined && { name }) };
}

function isOptions(json: unknown): json is Record<string, unknown> {
  return (
    typeof json === 'object' &&
    json !== null &&
    !Array.isArray(json) &&
    Object.keys(json).every((key) => optionNames.includes(key))
  );
}

const readJson: Reader = async function* (chunks, options, _, openItem) {
  const hold = openItem();
  const parts: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of chunks) {
    total += chunk.byteLength;
    if (total > maxJsonBodyBytes) {
      throw new CodedError(
        'body_too_large',
        `A JSON list may have ${maxJsonBodyBytes} bytes; send more as application/x-ndjson.`,
      );
    }
    await hold(jsonBodyWeight * total);
    parts.push(chunk);
  }
  const whole = new Uint8Array(total);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  const json = parseList(whole);
  if (typeof json !== 'object' || json === null || !('inputs' in json) || !Array.isArray(json.inputs)) {
    throw new CodedError('json_invalid', 'the body: expected {"inputs": [...]}.');
  }
  const { inputs, ...rest } = json;
  Object.assign(options, rest);
  for (const [index, input] of (inputs as unknown[]).entries()) yield parseInput(input, `inputs[${index}]`);
};

function parseList(bytes: Uint8Array): unknown {
  try {
    return parseUntrustedJson(bytes);
  } catch (error) {
    const reason = error instanceof RangeError ? error.message : 'not JSON';
    throw new CodedError('json_invalid', `the body: ${reason}.`);
  }
}

const readParts: Reader = async function* (chunks, options, contentType, openItem) {
  const boundary = readBoundary(contentType);
  const parser = new MultipartParser(boundary, {
    maxFileSize: maxBodyBytes,
    maxParts: maxBatchItems + optionNames.length,
    // No limit here, because the source of the chunks counts all bytes.
    maxTotalSize: Number.MAX_SAFE_INTEGER,
  });
  try {
    let hold = openItem();
    let held = 0;
    for await (const chunk of skipPreambleOf(chunks, boundary)) {
      held += chunk.byteLength;
      await hold(Math.min(held, maxBodyBytes));
      for (const part of parser.write(chunk)) {
        hold = openItem();
        held = 0;
        const read = readFormPart(part, boundary);
        if (read.isFile || read.field === undefined) yield toInput(read);
        else setOption(options, read.field, part.text);
      }
    }
    parser.finish();
  } catch (cause) {
    if (!(cause instanceof MultipartParseError)) throw cause;
    const code = cause.name.includes('Size') ? 'body_too_large' : 'multipart_invalid';
    throw new CodedError(code, `The multipart body cannot be taken: ${cause.message}.`, { cause });
  }
};

function toInput({ bytes, fileName = '' }: FormPart): RawInput {
  if (bytes.byteLength === 0)
    throw new CodedError('body_empty', `The file "${fileName.slice(0, 100)}" is empty.`);
  return { bytes, ...(fileName && { name: fileName.slice(0, 255) }) };
}

function setOption(options: Record<string, unknown>, name: string, text: string): void {
  options[name] = name === 'metadata' ? parseJson(text, 'metadata') : text;
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CodedError('json_invalid', `${where}: not JSON.`);
  }
}

function parseInput(json: unknown, where: string): RawInput {
  const parsed = inputSchema.safeParse(json);
  if (!parsed.success) throw new CodedError('json_invalid', `${where}: ${parsed.error.issues[0]!.message}.`);
  const input = parsed.data;
  if (!('image' in input)) return input;
  let bytes: Uint8Array;
  try {
    bytes = decodeBase64Image(input.image);
  } catch (error) {
    throw error instanceof CodedError ? new CodedError(error.code, `${where}: ${error.message}`) : error;
  }
  if (bytes.byteLength > maxBodyBytes) {
    throw new CodedError('body_too_large', `${where}: an image may have ${maxBodyBytes} bytes.`);
  }
  return { bytes, ...(input.name !== undefined && { name: input.name }) };
}

function parseOptions(found: Record<string, unknown>): BatchOptions {
  const parsed = optionsSchema.safeParse(found);
  if (parsed.success) {
    const { model, task, top_k: topK, webhook_url: webhookUrl, metadata } = parsed.data;
    return { model, task, topK, webhookUrl, metadata };
  }
  throw new CodedError('option_invalid', `${formatIssue(parsed.error.issues[0], 'options')}.`);
}
