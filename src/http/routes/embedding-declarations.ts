import { createRoute, z } from '@hono/zod-openapi';
import { maxImagesPerRequest } from '../../limits.ts';
import { sampleImageBase64 } from '../examples.ts';
import { embedOptionsSchema } from '../image-request/embed-options.ts';
import { jsonImageShape } from '../image-request/parse-image-request.ts';
import { pictureCodes, problemResponses, referenceCodes } from '../openapi.ts';
import { bytesContent, bytesSchema, jsonContent } from '../schemas/content.ts';
import { embeddingAnswerSchema, embeddingFormAnswerSchema } from '../schemas/embedding.ts';

// Declares /v1/embeddings and below for the OpenAPI document; embeddings.ts has the handlers.

const common = { tags: ['embeddings'], method: 'post' as const };
const problems = problemResponses('embedding_unsupported', ...pictureCodes, ...referenceCodes);
const oneAnswer = {
  200: { description: 'The vector.', content: jsonContent(embeddingAnswerSchema) },
  ...problems,
};

export const embedRoute = createRoute({
  ...common,
  path: '/v1/embeddings',
  operationId: 'embed',
  summary: 'A picture as a vector: near ones show alike things. Its bytes are the body',
  description: 'A form with one file and JSON are taken here as well.',
  request: { query: embedOptionsSchema, body: { required: true, content: bytesContent } },
  responses: oneAnswer,
});

const jsonBodySchema = z
  .strictObject({ ...jsonImageShape, ...embedOptionsSchema.shape })
  .openapi('EmbedJsonRequest');

export const embedJsonRoute = createRoute({
  ...common,
  path: '/v1/embeddings/json',
  operationId: 'embedJson',
  summary: 'The same with the picture as base64, or by its URL or its key in the bucket',
  request: {
    body: {
      required: true,
      content: { 'application/json': { schema: jsonBodySchema, example: { image: sampleImageBase64 } } },
    },
  },
  responses: oneAnswer,
});

const formSchema = z
  .object({
    image: z.array(bytesSchema).openapi({ description: `1 to ${maxImagesPerRequest} files.` }),
    ...embedOptionsSchema.shape,
  })
  .openapi('EmbedForm');

export const embedFormRoute = createRoute({
  ...common,
  path: '/v1/embeddings/form',
  operationId: 'embedForm',
  summary: `A vector for each of up to ${maxImagesPerRequest} pictures`,
  description: 'A result for each file, in order. One bad image does not spoil the others.',
  request: { body: { required: true, content: { 'multipart/form-data': { schema: formSchema } } } },
  responses: {
    200: { description: 'A result for each file.', content: jsonContent(embeddingFormAnswerSchema) },
    ...problems,
  },
});
