import { z } from '@hono/zod-openapi';
import { batchStatuses, batchTasks } from '../../jobs/batch/batch.ts';
import { problemSchema } from '../openapi.ts';
import { imageInfoSchema, predictionSchema, unknownSchema } from './classification.ts';
import { tierSchema } from './enums.ts';

const time = z.string().openapi({ format: 'date-time' });
const metadataSchema = z
  .record(z.string(), z.unknown())
  .openapi('BatchMetadata', { description: 'Whatever the caller wants to find again.' });

const batchTaskSchema = z.enum(batchTasks).openapi('BatchTask', {
  description: '`classify`, the default, or `embed`: the features of each picture.',
});

const countsSchema = z
  .object({ total: z.int(), succeeded: z.int(), failed: z.int(), pending: z.int() })
  .openapi('BatchCounts');

export const batchSchema = z
  .object({
    id: z.string(),
    status: z.enum(batchStatuses).openapi('BatchStatus'),
    model: z.string(),
    model_version: z.string(),
    task: batchTaskSchema,
    top_k: z.int(),
    tier: tierSchema,
    counts: countsSchema,
    rate: z.number().openapi({ description: 'Items a second since it started.' }),
    estimated_finish_at: time.nullable(),
    trouble: z.string().nullable().openapi({ description: 'What holds it up right now.' }),
    webhook_url: z.string().nullable(),
    metadata: metadataSchema,
    created_at: time.nullable(),
    started_at: time.nullable(),
    finished_at: time.nullable(),
    expires_at: time.nullable(),
  })
  .openapi('Batch');

export const batchListSchema = z
  .object({ batches: z.array(batchSchema), next_before: z.string().nullable() })
  .openapi('BatchList');

const inputSchema = z
  .object({
    url: z.string().optional(),
    r2_key: z.string().optional(),
    image: z.string().optional().openapi({ description: 'Base64, or a data: URL.' }),
    name: z.string().optional().openapi({ description: 'Comes back with the result; beside `image` only.' }),
  })
  .openapi('BatchInput', { description: 'One of url, r2_key and image.' });

export const createBatchSchema = z
  .object({
    inputs: z.array(inputSchema),
    model: z.string().optional(),
    task: batchTaskSchema.optional(),
    top_k: z.int().optional(),
    webhook_url: z.string().optional(),
    metadata: metadataSchema.optional(),
  })
  .openapi('CreateBatchRequest');

/** A line of a batch's results. */
export const batchResultSchema = z
  .object({
    index: z.int().min(0),
    name: z.string().optional(),
    model: z.string().optional(),
    model_version: z.string().optional(),
    tier: tierSchema.optional(),
    image: imageInfoSchema.optional(),
    predictions: z.array(predictionSchema).optional(),
    unknown: unknownSchema,
    dimensions: z.int().optional().openapi({ description: 'Numbers in `embedding`.' }),
    embedding: z.string().optional().openapi({
      description: 'With the task `embed`: base64 of float32, little-endian, of length 1.',
    }),
    problem: problemSchema.optional(),
  })
  .openapi('BatchResult', { description: 'Either a classification, or `problem`.' });

const attemptSchema = z
  .object({ attempt: z.int(), at: time, status: z.int().nullable(), error: z.string().nullable() })
  .openapi('DeliveryAttempt');

const deliveryStateSchema = z
  .enum(['pending', 'delivered', 'failed', 'disabled'])
  // Go has one name space for the constants of all enums, and a batch has the state `failed` too.
  .openapi('DeliveryState', {
    'x-enum-varnames': ['DELIVERY_PENDING', 'DELIVERY_DELIVERED', 'DELIVERY_FAILED', 'DELIVERY_DISABLED'],
  });

const deliverySchema = z
  .object({
    id: z.string(),
    type: z.string(),
    url: z.string(),
    state: deliveryStateSchema,
    attempts: z.int(),
    next_attempt_at: time.nullable(),
    log: z.array(attemptSchema),
  })
  .openapi('WebhookDelivery');

export const deliveryListSchema = z
  .object({ deliveries: z.array(deliverySchema) })
  .openapi('WebhookDeliveryList');
