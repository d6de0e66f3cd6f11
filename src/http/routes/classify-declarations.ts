import { createRoute, z } from '@hono/zod-openapi';
import type { ErrorCode } from '../../errors.ts';
import { maxImagesPerRequest } from '../../limits.ts';
import { sampleImageBase64 } from '../examples.ts';
import { jsonImageShape, referenceSchema } from '../image-request/parse-image-request.ts';
import { classifyOptionsSchema } from '../image-request/request-options.ts';
import { pictureCodes, problemResponses, referenceCodes } from '../openapi.ts';
import { classifyAnswerSchema, classifyFormAnswerSchema } from '../schemas/classification.ts';
import { bytesContent, bytesSchema, jsonContent } from '../schemas/content.ts';

// Declares /v1/classify and below for the OpenAPI document; classify.ts has the handlers. Each route has one kind of
// body and one shape of answer, because a generated client has one method for each route.

const common = { tags: ['classify'] };
const codes: readonly ErrorCode[] = [...pictureCodes, ...referenceCodes];

/** One of `image`, `url` and `r2_key`, and the options. */
const jsonBodySchema = z
  .strictObject({ ...jsonImageShape, ...classifyOptionsSchema.shape })
  .openapi('ClassifyJsonRequest');

const oneAnswer = {
  200: {
    description: 'What the image shows, the most probable class first.',
    headers: z.object({
      etag: z
        .string()
        .optional()
        .openapi({ description: 'Names the answer; the same question has the same.' }),
      'cache-status': z.string().optional().openapi({ description: 'RFC 9211.' }),
      'server-timing': z.string().optional(),
    }),
    content: jsonContent(classifyAnswerSchema),
  },
  304: { description: 'If-None-Match names this very answer.' },
  ...problemResponses(...codes),
};

export const classifyRoute = createRoute({
  ...common,
  method: 'post',
  path: '/v1/classify',
  operationId: 'classify',
  summary: 'What is in this picture? Its bytes are the body',
  description:
    'The bytes decide what the file is, not `Content-Type`. A form with one file and JSON are taken here as well.',
  request: { query: classifyOptionsSchema, body: { required: true, content: bytesContent } },
  responses: oneAnswer,
});

export const classifyByReferenceRoute = createRoute({
  ...common,
  method: 'get',
  path: '/v1/classify',
  operationId: 'classifyByReference',
  summary: 'What is in the picture at this URL?',
  request: { query: classifyOptionsSchema.extend(referenceSchema.shape) },
  responses: oneAnswer,
});

export const classifyJsonRoute = createRoute({
  ...common,
  method: 'post',
  path: '/v1/classify/json',
  operationId: 'classifyJson',
  summary: 'The same with the picture as base64, or by its URL or its key in the bucket',
  request: {
    body: {
      required: true,
      content: {
        'application/json': { schema: jsonBodySchema, example: { image: sampleImageBase64, top_k: 3 } },
      },
    },
  },
  responses: oneAnswer,
});

const formSchema = z
  .object({
    // No minItems and maxItems, because the Go generator makes a check of them that does not compile.
    image: z.array(bytesSchema).openapi({ description: `1 to ${maxImagesPerRequest} files.` }),
    ...classifyOptionsSchema.shape,
  })
  .openapi('ClassifyForm');

export const classifyFormRoute = createRoute({
  ...common,
  method: 'post',
  path: '/v1/classify/form',
  operationId: 'classifyForm',
  summary: `What is in each of up to ${maxImagesPerRequest} pictures?`,
  description: 'A result for each file, in order. One bad image does not spoil the others.',
  request: { body: { required: true, content: { 'multipart/form-data': { schema: formSchema } } } },
  responses: {
    200: { description: 'A result for each file.', content: jsonContent(classifyFormAnswerSchema) },
    ...problemResponses(...codes),
  },
});
