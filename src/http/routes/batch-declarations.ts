import { createRoute, z } from '@hono/zod-openapi';
import { batchStatuses } from '../../jobs/batch/batch.ts';
import { pictureCodes, problemResponses } from '../openapi.ts';

// What the document says of /v1/batches and below; batches.ts does it.

const time = z.string().openapi({ format: 'date-time' });
const batchSchema = z
  .object({
    id: z.string(),
    status: z.enum(batchStatuses),
    model: z.string(),
    model_version: z.string(),
    top_k: z.int(),
    tier: z.enum(['edge', 'node']).openapi({ description: 'What runs it.' }),
    counts: z.object({ total: z.int(), succeeded: z.int(), failed: z.int(), pending: z.int() }),
    rate: z.number().openapi({ description: 'Items a second since it started.' }),
    estimated_finish_at: time.nullable(),
    trouble: z.string().nullable().openapi({ description: 'What holds it up right now.' }),
    webhook_url: z.string().nullable(),
    metadata: z.record(z.string(), z.unknown()),
    created_at: time.nullable(),
    started_at: time.nullable(),
    finished_at: time.nullable(),
    expires_at: time.nullable(),
  })
  .openapi('Batch');

const inputSchema = z
  .object({
    url: z.string().optional(),
    r2_key: z.string().optional(),
    image: z.string().optional().openapi({ description: 'Base64, or a data: URL.' }),
    name: z.string().optional(),
  })
  .openapi('BatchInput', { description: 'One of url, r2_key and image.' });

const deliverySchema = z
  .object({
    id: z.string(),
    type: z.string(),
    url: z.string(),
    state: z.enum(['pending', 'delivered', 'failed', 'disabled']),
    attempts: z.int(),
    next_attempt_at: time.nullable(),
    log: z.array(
      z.object({ attempt: z.int(), at: time, status: z.int().nullable(), error: z.string().nullable() }),
    ),
  })
  .openapi('WebhookDelivery');

const json = <T extends z.ZodType>(schema: T) => ({ 'application/json': { schema } });
const text = (type: string) => ({ [type]: { schema: z.string() } });
const idParameter = z.object({ id: z.string() });
const common = { tags: ['batches'] };

export const submitRoute = createRoute({
  ...common,
  method: 'post',
  path: '/v1/batches',
  operationId: 'createBatch',
  summary: 'Many pictures, answered later',
  request: {
    headers: z.object({ 'idempotency-key': z.string().optional() }),
    body: {
      required: true,
      content: {
        ...json(
          z.object({
            inputs: z.array(inputSchema),
            model: z.string().optional(),
            top_k: z.int().optional(),
            webhook_url: z.string().optional(),
            metadata: z.record(z.string(), z.unknown()).optional(),
          }),
        ),
        'application/x-ndjson': { schema: z.string() },
        'multipart/form-data': {
          schema: z.object({ image: z.array(z.string().openapi({ format: 'binary' })) }),
        },
      },
    },
  },
  responses: {
    202: { description: 'Accepted: it will come to an end.', content: json(batchSchema) },
    ...problemResponses(
      'batch_not_configured',
      'batch_unknown',
      'idempotency_key_invalid',
      'idempotency_key_in_use',
      'idempotency_key_reused',
      'url_invalid',
      'url_forbidden',
      ...pictureCodes,
    ),
  },
});

export const listRoute = createRoute({
  ...common,
  method: 'get',
  path: '/v1/batches',
  operationId: 'listBatches',
  summary: 'Your batches, newest first',
  request: { query: z.object({ limit: z.string().optional(), before: z.string().optional() }) },
  responses: {
    200: {
      description: '`next_before` asks for the next page.',
      content: json(z.object({ batches: z.array(batchSchema), next_before: z.string().nullable() })),
    },
    ...problemResponses('batch_not_configured'),
  },
});

const declareBatch = (method: 'get' | 'delete', operationId: string, summary: string) =>
  createRoute({
    ...common,
    method,
    path: '/v1/batches/{id}',
    operationId,
    summary,
    request: { params: idParameter },
    responses: {
      200: { description: 'The batch.', content: json(batchSchema) },
      ...problemResponses('batch_not_configured', 'batch_unknown'),
    },
  });

export const readRoute = declareBatch('get', 'readBatch', 'Status, counts, rate, estimate');
export const cancelRoute = declareBatch('delete', 'cancelBatch', 'Cancels; what has a result keeps it');
export const deliveriesRoute = createRoute({
  ...common,
  method: 'get',
  path: '/v1/batches/{id}/deliveries',
  operationId: 'readBatchDeliveries',
  summary: 'Every attempt at its webhook',
  request: { params: idParameter },
  responses: {
    200: { description: 'The log.', content: json(z.object({ deliveries: z.array(deliverySchema) })) },
    ...problemResponses('batch_not_configured', 'batch_unknown'),
  },
});

export const resultsRoute = createRoute({
  ...common,
  method: 'get',
  path: '/v1/batches/{id}/results',
  operationId: 'readBatchResults',
  summary: 'Results in input order, up to the first that is still missing',
  request: { params: idParameter, query: z.object({ cursor: z.string().optional() }) },
  responses: {
    200: {
      description:
        'A line an item, with the `name` that it was sent under. `index` of the last line plus 1 is the next cursor.',
      content: text('application/x-ndjson'),
    },
    ...problemResponses('batch_not_configured', 'batch_unknown'),
  },
});

export const eventsRoute = createRoute({
  ...common,
  method: 'get',
  path: '/v1/batches/{id}/events',
  operationId: 'readBatchEvents',
  summary: 'Progress as Server-Sent Events',
  request: { params: idParameter },
  responses: {
    200: { description: '`progress` and, at the end, `done`.', content: text('text/event-stream') },
    ...problemResponses('batch_not_configured', 'batch_unknown'),
  },
});
