import { z } from '@hono/zod-openapi';
import { fileKinds, runtimeNames } from '../model/manifest.ts';
import { imageWarningCodes, imageWarnings } from '../warnings.ts';
import { problemSchema } from './openapi.ts';

const warningsDescription = [
  'What is wrong with the file, though it is shown; `strict=true` refuses it instead.',
  ...Object.entries(imageWarnings).map(([code, meaning]) => `\`${code}\`: ${meaning}.`),
].join(' ');

export const predictionSchema = z
  .object({
    class_index: z.int().min(0),
    wnid: z.string().openapi({ description: 'WordNet id; unlike the label it is unique.' }),
    label: z.string(),
    score: z.number().min(0).max(1).openapi({ description: 'After softmax.' }),
  })
  .openapi('Prediction');

export const imageSchema = z
  .object({
    format: z.enum(['jpeg', 'png', 'gif', 'bmp', 'tiff', 'webp', 'avif', 'heic']),
    width: z.int().openapi({ description: 'As a person sees it: after EXIF orientation.' }),
    height: z.int(),
    approximate: z.literal(true).optional().openapi({ description: 'The pixels are not exactly Pillow’s.' }),
    warnings: z
      .array(z.enum(imageWarningCodes))
      .min(1)
      .optional()
      .openapi({ description: warningsDescription }),
  })
  .openapi('Image');

const tierSchema = z.enum(['edge', 'node']).openapi({
  description:
    'Where it ran: `node` if the model or the image is beyond an isolate and a Node tier is configured.',
});
const modelNameFields = { model: z.string(), model_version: z.string() };

export const classificationSchema = z
  .object({
    id: z.string().openapi({ description: 'The request’s id.' }),
    ...modelNameFields,
    tier: tierSchema,
    image: imageSchema,
    predictions: z.array(predictionSchema),
  })
  .openapi('Classification');

const resultSchema = z
  .object({
    index: z.int().min(0),
    name: z.string().optional().openapi({ description: 'The file’s name in the form.' }),
    tier: tierSchema.optional(),
    image: imageSchema.optional(),
    predictions: z.array(predictionSchema).optional(),
    problem: problemSchema.optional(),
  })
  .openapi('Result', { description: 'Either `tier`, `image` and `predictions`, or `problem`.' });

export const classificationsSchema = z
  .object({ id: z.string(), ...modelNameFields, results: z.array(resultSchema) })
  .openapi('Classifications');

export const modelSummarySchema = z
  .object({
    name: z.string(),
    version: z.string(),
    default: z.boolean(),
    aliases: z.array(z.string()).openapi({ description: 'Names of other APIs that this model answers to.' }),
  })
  .openapi('ModelSummary');

export const modelSchema = z
  .object({
    name: z.string(),
    version: z.string(),
    description: z.string().optional(),
    files: z
      .array(z.object({ kind: z.enum(fileKinds), bytes: z.int(), sha256: z.string() }))
      .openapi({ description: 'The same network, once for each runtime that may serve it.' }),
    runtime: z.enum(runtimeNames).openapi({ description: 'What runs it in an isolate.' }),
    datatype: z.enum(['fp32', 'int8']),
    input: z.object({ name: z.string(), shape: z.array(z.int()), datatype: z.literal('FP32') }),
    output: z.object({ name: z.string(), kind: z.enum(['logits', 'probabilities']), classes: z.int() }),
    preprocess: z.object({
      resize_shortest_edge: z.int(),
      interpolation: z.enum(['bilinear', 'bicubic']),
      center_crop: z.int(),
      rescale_factor: z.number(),
      mean: z.array(z.number()),
      std: z.array(z.number()),
    }),
    source: z.string(),
    licence: z.string(),
    accuracy: z.array(
      z.object({
        dataset: z.string(),
        count: z.int(),
        top1: z.number(),
        top5: z.number(),
        command: z.string().optional(),
      }),
    ),
    tier: z.enum(['edge', 'batch']),
    loaded: z.boolean().openapi({ description: 'Whether the isolate that answered has it in memory.' }),
  })
  .openapi('Model');

export const readySchema = z
  .object({
    status: z.literal('ready'),
    model: z.string(),
    model_version: z.string(),
    loaded_models: z.array(z.string()),
    runtime_memory_bytes: z.int(),
    runtimes: z
      .array(z.object({ name: z.string(), kernels: z.string().optional() }))
      .openapi({ description: 'What has booted, and which of its kernels run.' }),
  })
  .openapi('Ready');
