import { z } from '@hono/zod-openapi';
import {
  channelOrderSchema,
  cropRoundingSchema,
  datatypeSchema,
  fileKindSchema,
  interpolationSchema,
  outputKindSchema,
  ownScoringSchema,
  resizeBySchema,
  runtimeSchema,
  tierSchema,
} from './enums.ts';

export const modelSummarySchema = z
  .object({
    name: z.string(),
    version: z.string(),
    default: z.boolean(),
    aliases: z.array(z.string()).openapi({ description: 'Names of other APIs that this model answers to.' }),
  })
  .openapi('ModelSummary');

export const modelListSchema = z.object({ models: z.array(modelSummarySchema) }).openapi('ModelList');

const fileSchema = z
  .object({ kind: fileKindSchema, bytes: z.int(), sha256: z.string() })
  .openapi('ModelFile');
const inputSchema = z
  .object({ name: z.string(), shape: z.array(z.int()), datatype: z.string() })
  .openapi('ModelInput');
const outputSchema = z
  .object({
    name: z.string(),
    kind: outputKindSchema,
    scoring: ownScoringSchema,
    threshold: z.number().openapi({
      description: 'With `sigmoid`: an answer has the classes of at least this score.',
    }),
    classes: z.int(),
  })
  .openapi('ModelOutput');
const preprocessSchema = z
  .object({
    resize_shortest_edge: z.int(),
    interpolation: interpolationSchema,
    resize_by: resizeBySchema,
    center_crop: z.int(),
    crop_rounding: cropRoundingSchema,
    rescale_factor: z.number(),
    channel_order: channelOrderSchema,
    mean: z.array(z.number()),
    std: z.array(z.number()),
  })
  .openapi('ModelPreprocess');
const accuracySchema = z
  .object({
    dataset: z.string(),
    count: z.int(),
    top1: z.number(),
    top5: z.number(),
    command: z.string().optional(),
  })
  .openapi('ModelAccuracy');

const backboneSchema = z
  .object({ name: z.string(), version: z.string() })
  .openapi('ModelBackbone', { description: 'The version whose features a head classifies.' });

export const modelCardSchema = z
  .object({
    name: z.string(),
    version: z.string(),
    description: z.string().optional(),
    files: z
      .array(fileSchema)
      .openapi({ description: 'The same network, once for each runtime that may serve it.' }),
    runtime: runtimeSchema.openapi({ description: 'What runs it in an isolate.' }),
    datatype: datatypeSchema,
    input: inputSchema,
    output: outputSchema,
    preprocess: preprocessSchema,
    backbone: backboneSchema.optional(),
    source: z.string(),
    licence: z.string(),
    accuracy: z.array(accuracySchema),
    tier: tierSchema,
    loaded: z.boolean().openapi({ description: 'Whether the isolate that answered has it in memory.' }),
  })
  .openapi('ModelCard');
