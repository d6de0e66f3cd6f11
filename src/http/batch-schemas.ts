import { z } from '@hono/zod-openapi';
import { defaultTopK, maxBatchItems, maxBatchTopK } from '../limits.ts';

/** JSON form of a submission; NDJSON has one input a line, and options in the first. */
export const submissionSchema = z
  .object({
    inputs: z
      .array(
        z.union([
          z.strictObject({ url: z.string() }),
          z.strictObject({ r2_key: z.string() }),
          z.strictObject({ image: z.string(), name: z.string().optional() }),
        ]),
      )
      .min(1)
      .max(maxBatchItems),
    model: z.string().optional(),
    top_k: z.int().min(1).max(maxBatchTopK).default(defaultTopK),
    webhook_url: z.string().optional(),
    metadata: z.record(z.string(), z.unknown()).optional(),
  })
  .openapi('BatchSubmission');

const time = z.string().nullable();

export const batchSchema = z
  .object({
    id: z.string(),
    status: z.enum(['starting', 'processing', 'succeeded', 'partial', 'failed', 'canceled']),
    model: z.string(),
    model_version: z.string(),
    top_k: z.int(),
    tier: z.enum(['edge', 'node']),
    counts: z.object({ total: z.int(), succeeded: z.int(), failed: z.int(), pending: z.int() }),
    rate: z.number().openapi({ description: 'Items a second since it started.' }),
    estimated_finish_at: time,
    trouble: z.string().nullable().openapi({ description: 'Why it does not go on, if it does not.' }),
    webhook_url: z.string().nullable(),
    metadata: z.record(z.string(), z.unknown()),
    created_at: time,
    started_at: time,
    finished_at: time,
    expires_at: time,
  })
  .openapi('Batch');

export const batchListSchema = z
  .object({ batches: z.array(batchSchema), next_before: z.string().nullable() })
  .openapi('BatchList');

export const deliveriesSchema = z
  .object({
    deliveries: z.array(
      z.object({
        id: z.string(),
        type: z.string(),
        url: z.string(),
        state: z.string(),
        attempts: z.int(),
        next_attempt_at: z.string().nullable(),
        log: z.array(z.record(z.string(), z.unknown())),
      }),
    ),
  })
  .openapi('Deliveries');
