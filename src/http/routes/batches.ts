import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Batch } from '../../batch/batch.ts';
import type { BatchServices } from '../../batch/batch-services.ts';
import { toBatchJson } from '../../batch/batch-wire.ts';
import { streamEvents } from '../../batch/stream-events.ts';
import { streamResults } from '../../batch/stream-results.ts';
import { CodedError } from '../../errors.ts';
import { maxBatchItems } from '../../limits.ts';
import { batchListSchema, batchSchema, deliveriesSchema, submissionSchema } from '../batch-schemas.ts';
import type { HonoEnv } from '../context.ts';
import { needs } from '../middleware/access.ts';
import { createRouter, mount, problemResponses } from '../openapi.ts';

const wholeNumber = (pattern: RegExp, min: number, max: number) =>
  z.string().regex(pattern).transform(Number).pipe(z.int().min(min).max(max)).optional();
const listQuery = z.object({
  limit: wholeNumber(/^\d{1,3}$/, 1, 100).openapi({ type: 'integer', minimum: 1, maximum: 100, default: 20 }),
  before: z.iso
    .datetime({ offset: true })
    .optional()
    .openapi({ description: 'Batches made before this time.' }),
});
const resultsQuery = z.object({
  cursor: wholeNumber(/^\d{1,6}$/, 0, maxBatchItems).openapi({
    type: 'integer',
    minimum: 0,
    maximum: maxBatchItems,
    description: 'Index of the first item wanted.',
  }),
});
const idParameter = z.object({ id: z.string() });
const json = (schema: z.ZodType) => ({ 'application/json': { schema } });

const submitRoute = createRoute({
  method: 'post',
  path: '/v1/batches',
  operationId: 'submitBatch',
  tags: ['batches'],
  summary: 'Up to 100,000 pictures, answered later',
  request: {
    headers: z.object({ 'idempotency-key': z.string().min(1).max(255).optional() }),
    body: {
      required: true,
      content: {
        ...json(submissionSchema),
        'application/x-ndjson': { schema: z.string() },
        'multipart/form-data': { schema: z.string().openapi({ type: 'string', format: 'binary' }) },
      },
    },
  },
  responses: {
    202: {
      description: 'Accepted: nothing of it is lost from here on.',
      headers: z.object({ location: z.string() }),
      content: json(batchSchema),
    },
    ...problemResponses(
      'media_type_unsupported',
      'json_invalid',
      'base64_invalid',
      'multipart_invalid',
      'image_field_missing',
      'too_many_images',
      'body_empty',
      'body_too_large',
      'body_aborted',
      'url_invalid',
      'url_forbidden',
      'url_unreachable',
      'idempotency_key_invalid',
      'idempotency_key_in_use',
      'idempotency_key_reused',
      'model_unknown',
      'model_unavailable',
      'model_manifest_invalid',
      'model_requires_batch_tier',
    ),
  },
});

const listRoute = createRoute({
  method: 'get',
  path: '/v1/batches',
  operationId: 'listBatches',
  tags: ['batches'],
  summary: 'Your batches, newest first',
  request: { query: listQuery },
  responses: { 200: { description: 'A page.', content: json(batchListSchema) }, ...problemResponses() },
});

const declareRead = <P extends string>(path: P, operationId: string, summary: string, content: object) =>
  createRoute({
    method: 'get',
    path,
    operationId,
    tags: ['batches'],
    summary,
    request: { params: idParameter },
    responses: { 200: { description: 'Now.', content }, ...problemResponses('batch_unknown') },
  });

const cancelRoute = createRoute({
  method: 'delete',
  path: '/v1/batches/{id}',
  operationId: 'cancelBatch',
  tags: ['batches'],
  summary: 'Stops what has not been done yet',
  request: { params: idParameter },
  responses: {
    200: { description: 'Canceled, or as it had ended.', content: json(batchSchema) },
    ...problemResponses('batch_unknown'),
  },
});

/** /v1/batches and what lies under it. A batch belongs to the key that made it. */
export function batchRoutes(batches: BatchServices) {
  const app = createRouter();
  app.use('/v1/batches', needs('batch'));
  app.use('/v1/batches/*', needs('batch'));

  /** A batch of someone else does not exist. */
  const findBatch = async (c: Context<HonoEnv>): Promise<Batch> => {
    const batch = await batches.store.find(c.req.param('id') ?? '');
    if (batch?.owner === ownerOf(c)) return batch;
    throw new CodedError('batch_unknown', 'There is no batch of this id.');
  };

  mount(app, submitRoute, async (c) => {
    const { batch, replayed } = await batches.submit(c.req.raw, ownerOf(c), readIdempotencyKey(c));
    c.header('location', `/v1/batches/${batch.id}`);
    if (replayed) c.header('idempotency-replayed', 'true');
    return c.json(toBatchJson(batch), 202);
  });
  app.openapi(listRoute, async (c) => {
    const { limit = 20, before } = c.req.valid('query');
    const time = before === undefined ? Date.now() + 1 : Date.parse(before);
    const list = await batches.store.list(ownerOf(c), limit, time);
    const next = list.length === limit ? new Date(list.at(-1)!.createdAt).toISOString() : null;
    return c.json({ batches: list.map((batch) => toBatchJson(batch)), next_before: next }, 200);
  });
  mount(
    app,
    declareRead('/v1/batches/{id}', 'readBatch', 'Status and progress', json(batchSchema)),
    async (c) => c.json(toBatchJson(await findBatch(c))),
  );
  const deliveries = json(deliveriesSchema);
  mount(
    app,
    declareRead('/v1/batches/{id}/deliveries', 'readDeliveries', 'What became of its webhooks', deliveries),
    async (c) => {
      const { id } = await findBatch(c);
      const log = await batches.deliveries.log(id);
      return c.json({ deliveries: log.map(toDeliveryJson) });
    },
  );
  const lines = { 'application/x-ndjson': { schema: z.string() } };
  const results = createRoute({
    ...declareRead('/v1/batches/{id}/results', 'readResults', 'Results in input order, NDJSON', lines),
    request: { params: idParameter, query: resultsQuery },
  });
  mount(app, results, async (c) => {
    const batch = await findBatch(c);
    const query = resultsQuery.safeParse(c.req.query());
    if (!query.success) throw new CodedError('option_invalid', 'cursor must be the index of an item.');
    const body = await streamResults(batch, query.data.cursor ?? 0, batches.store, batches.results);
    return c.body(body, 200, {
      'content-type': 'application/x-ndjson',
      'x-batch-status': batch.status,
      'x-total-count': String(batch.total),
    });
  });
  const stream = { 'text/event-stream': { schema: z.string() } };
  mount(
    app,
    declareRead('/v1/batches/{id}/events', 'readEvents', 'Progress as it happens', stream),
    async (c) => {
      const { id } = await findBatch(c);
      const events = streamEvents(id, batches.store, (batch) => toBatchJson(batch), c.req.raw.signal);
      return c.body(events, 200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    },
  );
  mount(app, cancelRoute, async (c) => {
    const batch = await findBatch(c);
    await batches.cancel(batch);
    return c.json(toBatchJson((await batches.store.find(batch.id)) ?? batch));
  });
  return app;
}

/** '' for whoever needs no key. */
function ownerOf(c: Context<HonoEnv>): string {
  const { id, kind } = c.get('principal');
  return kind === 'public' ? '' : id;
}

function toDeliveryJson(delivery: Awaited<ReturnType<BatchServices['deliveries']['log']>>[number]) {
  const { id, type, url, state, attempts, nextAttemptAt, log } = delivery;
  return {
    id,
    type,
    url,
    state,
    attempts,
    next_attempt_at: state === 'pending' ? new Date(nextAttemptAt).toISOString() : null,
    log: log.map(({ attempt, at, status, error }) => ({
      attempt,
      at: new Date(at).toISOString(),
      status,
      error,
    })),
  };
}

function readIdempotencyKey(c: Context<HonoEnv>): string | undefined {
  const key = c.req.header('idempotency-key');
  if (key === undefined || /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw new CodedError(
    'idempotency_key_invalid',
    'Idempotency-Key must be 1 to 255 visible ASCII characters.',
  );
}
