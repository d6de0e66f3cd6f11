import { createRoute, z } from '@hono/zod-openapi';
import { sampleImageBase64 } from '../examples.ts';
import { pictureCodes, problemResponses } from '../openapi.ts';
import { batchListSchema, batchSchema, createBatchSchema, deliveryListSchema } from '../schemas/batch.ts';
import { jsonContent, textContent } from '../schemas/content.ts';

// Declares /v1/batches and below for the OpenAPI document; batches.ts has the handlers.

const idParameter = z.object({ id: z.string() });
const common = { tags: ['batches'] };

export const submitRoute = createRoute({
  ...common,
  method: 'post',
  path: '/v1/batches',
  operationId: 'createBatch',
  summary: 'Many pictures, answered later',
  description:
    'JSON is read whole, up to 5 MiB. `application/x-ndjson` (an input a line) and `multipart/form-data` (a file an input) are read as they come and hold up to 100,000 inputs.',
  request: {
    headers: z.object({ 'idempotency-key': z.string().optional() }),
    body: {
      required: true,
      content: {
        'application/json': {
          schema: createBatchSchema,
          example: { inputs: [{ image: sampleImageBase64, name: 'cat.jpg' }], top_k: 3 },
        },
      },
    },
  },
  responses: {
    202: { description: 'Accepted: it will come to an end.', content: jsonContent(batchSchema) },
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
      content: jsonContent(batchListSchema),
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
      200: { description: 'The batch.', content: jsonContent(batchSchema) },
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
    200: { description: 'The log.', content: jsonContent(deliveryListSchema) },
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
        'A line an item (`BatchResult`), with the `name` that it was sent under. `index` of the last line plus 1 is the next cursor.',
      content: textContent('application/x-ndjson'),
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
    200: { description: '`progress` and, at the end, `done`.', content: textContent('text/event-stream') },
    ...problemResponses('batch_not_configured', 'batch_unknown'),
  },
});
