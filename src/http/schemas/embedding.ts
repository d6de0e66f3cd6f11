import { z } from '@hono/zod-openapi';
import { problemSchema } from '../openapi.ts';
import { imageInfoSchema } from './classification.ts';

const vectorSchema = z.unknown().openapi('EmbeddingVector', {
  description: 'An array of numbers, or with `encoding_format=base64` a text: float32, little-endian.',
});

const modelNameFields = { model: z.string(), model_version: z.string() };
const dimensionsSchema = z.int().min(1).openapi({ description: 'Numbers in a vector.' });

export const embeddingAnswerSchema = z
  .object({
    id: z.string().openapi({ description: 'The request’s id.' }),
    ...modelNameFields,
    image: imageInfoSchema,
    dimensions: dimensionsSchema,
    embedding: vectorSchema,
  })
  .openapi('EmbeddingAnswer');

const embeddingResultSchema = z
  .object({
    index: z.int().min(0),
    name: z.string().optional().openapi({ description: 'The file’s name in the form.' }),
    image: imageInfoSchema.optional(),
    dimensions: dimensionsSchema.optional(),
    embedding: vectorSchema.optional(),
    problem: problemSchema.optional(),
  })
  .openapi('EmbeddingResult', { description: 'Either `image`, `dimensions` and `embedding`, or `problem`.' });

export const embeddingFormAnswerSchema = z
  .object({ id: z.string(), ...modelNameFields, results: z.array(embeddingResultSchema) })
  .openapi('EmbeddingFormAnswer');
