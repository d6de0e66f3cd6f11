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
  description:
    'None of the model’s classes: its best score is low, or the image looks like nothing that it has learned from. Absent elsewhere.',
});

const modelNameFields = { model: z.string(), model_version: z.string() };

const othersSchema = z
  .array(
    z
      .object({ ...modelNameFields, predictions: z.array(predictionSchema), unknown: unknownSchema })
      .openapi('HeadAnswer', { description: 'What another one of the named heads says.' }),
  )
  .optional();

/** The answer for one image. */
export const classifyAnswerSchema = z
  .object({
    id: z.string().openapi({ description: 'The request’s id.' }),
    ...modelNameFields,
    tier: tierSchema,
    image: imageInfoSchema,
    predictions: z.array(predictionSchema),
    unknown: unknownSchema,
    others: othersSchema,
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
    others: othersSchema,
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
