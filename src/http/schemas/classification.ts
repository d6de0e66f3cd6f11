import { z } from '@hono/zod-openapi';
import { problemSchema } from '../openapi.ts';
import { imageFormatSchema, imageWarningSchema, tierSchema } from './enums.ts';

export const predictionSchema = z
  .object({
    class_index: z.int().min(0),
    wnid: z.string().openapi({ description: 'WordNet id; unlike the label it is unique.' }),
    label: z.string(),
    score: z.number().min(0).max(1).openapi({ description: 'After softmax.' }),
  })
  .openapi('Prediction');

export const imageInfoSchema = z
  .object({
    format: imageFormatSchema,
    width: z.int().openapi({ description: 'As a person sees it: after EXIF orientation.' }),
    height: z.int(),
    approximate: z.literal(true).optional().openapi({
      type: 'boolean',
      description: 'The pixels are not exactly Pillow’s. Absent where they are.',
    }),
    warnings: z.array(imageWarningSchema).min(1).optional().openapi({
      description: 'What is wrong with the file, though it is shown; `strict=true` refuses it instead.',
    }),
  })
  .openapi('ImageInfo');

export const unknownSchema = z.literal(true).optional().openapi({
  type: 'boolean',
  description: 'The best score is below the model’s threshold: none of its classes. Absent elsewhere.',
});

const modelNameFields = { model: z.string(), model_version: z.string() };

/** The answer for one image. */
export const classifyAnswerSchema = z
  .object({
    id: z.string().openapi({ description: 'The request’s id.' }),
    ...modelNameFields,
    tier: tierSchema,
    image: imageInfoSchema,
    predictions: z.array(predictionSchema),
    unknown: unknownSchema,
  })
  .openapi('ClassifyAnswer');

export const imageResultSchema = z
  .object({
    index: z.int().min(0),
    name: z.string().optional().openapi({ description: 'The file’s name in the form.' }),
    tier: tierSchema.optional(),
    image: imageInfoSchema.optional(),
    predictions: z.array(predictionSchema).optional(),
    unknown: unknownSchema,
    problem: problemSchema.optional(),
  })
  .openapi('ImageResult', { description: 'Either `tier`, `image` and `predictions`, or `problem`.' });

/** The answer for the images of a form. */
export const classifyFormAnswerSchema = z
  .object({ id: z.string(), ...modelNameFields, results: z.array(imageResultSchema) })
  .openapi('ClassifyFormAnswer');

/** The two fields of an answer that other APIs have for a class. */
export const labelScoresSchema = z.array(
  z.object({ label: z.string(), score: z.number() }).openapi('LabelScore'),
);
