import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { type Batch, batchStatuses } from '../../batch/batch.ts';
import type { BatchDoor } from '../../batch/batch-door.ts';
import { toBatchJson } from '../../batch/batch-wire.ts';
import type { LoggedDelivery } from '../../batch/delivery.ts';
import { CodedError } from '../../errors.ts';
import { maxBatchItems } from '../../limits.ts';
import type { HonoEnv } from '../context.ts';
import { needs } from '../middleware/access.ts';
import { createRouter, mount, pictureCodes, problemResponses } from '../openapi.ts';

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

const submitRoute = createRoute({
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
const listRoute = createRoute({
  ...common,
  method: 'get',
  path: '/v1/batches',
  operationId: 'listBatches',
  summary: 'Your batches, newest first',
  request: { query: z.object({ limit: z.string().optional(), before: z.string().optional() }) },
  responses: {
    200: {
      description: '`next_before` asks for the next page.',
      content: json(z.object({ batches: z.array(batchSchema), next_before: time.nullable() })),
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
const readRoute = declareBatch('get', 'readBatch', 'Status, counts, rate, estimate');
const cancelRoute = declareBatch('delete', 'cancelBatch', 'Cancels; what has a result keeps it');
const deliveriesRoute = createRoute({
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
const resultsRoute = createRoute({
  ...common,
  method: 'get',
  path: '/v1/batches/{id}/results',
  operationId: 'readBatchResults',
  summary: 'Results in input order, up to the first that is still missing',
  request: { params: idParameter, query: z.object({ cursor: z.string().optional() }) },
  responses: {
    200: {
      description: '`index` of the last line plus 1 is the next cursor.',
      content: text('application/x-ndjson'),
    },
    ...problemResponses('batch_not_configured', 'batch_unknown'),
  },
});
const eventsRoute = createRoute({
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

const idempotencyKeySchema = z.string().regex(/^[\x21-\x7e]{1,255}$/);
const cursorSchema = z
  .string()
  .regex(/^\d{1,6}$/)
  .transform(Number)
  .pipe(z.int().max(maxBatchItems));
const limitSchema = z
  .string()
  .regex(/^\d{1,3}$/)
  .transform(Number)
  .pipe(z.int().min(1).max(100));

/** /v1/batches and what lies under it. A batch belongs to the key that made it. */
export function batchRoutes() {
  const app = createRouter();
  app.use('/v1/batches', needs('batch'));
  app.use('/v1/batches/*', needs('batch'));
  mount(app, submitRoute, async (c) => {
    const batches = requireBatches(c);
    const { batch, replayed } = await batches.submit(c.req.raw, ownerOf(c), readIdempotencyKey(c));
    const record = c.get('record');
    record.model = batch.model;
    record.images = batch.total;
    c.header('location', `/v1/batches/${batch.id}`);
    if (replayed) c.header('idempotency-replayed', 'true');
    return c.json(toBatchJson(batch), 202);
  });
  mount(app, listRoute, async (c) => {
    const limit = parseQuery(c, 'limit', limitSchema, 20);
    const before = c.req.query('before');
    const until = before === undefined ? Date.now() + 1 : Date.parse(before);
    if (Number.isNaN(until)) throw new CodedError('option_invalid', 'before must be a time, ISO 8601.');
    const list = await requireBatches(c).list(ownerOf(c), limit, until);
    const next = list.length === limit ? new Date(list.at(-1)!.createdAt).toISOString() : null;
    return c.json({ batches: list.map((batch) => toBatchJson(batch)), next_before: next });
  });
  mount(app, readRoute, async (c) => c.json(toBatchJson(await findBatch(c))));
  mount(app, cancelRoute, async (c) => {
    const batches = requireBatches(c);
    const batch = await findBatch(c);
    await batches.cancel(batch);
    return c.json(toBatchJson((await batches.find(batch.id)) ?? batch));
  });
  mount(app, deliveriesRoute, async (c) => {
    const { id } = await findBatch(c);
    const deliveries = await requireBatches(c).logDeliveries(id);
    return c.json({ deliveries: deliveries.map(toDeliveryJson) });
  });
  mount(app, resultsRoute, async (c) => {
    const batch = await findBatch(c);
    const body = await requireBatches(c).streamResults(batch, parseQuery(c, 'cursor', cursorSchema, 0));
    return c.body(body, 200, {
      'content-type': 'application/x-ndjson',
      'x-batch-status': batch.status,
      'x-total-count': String(batch.total),
    });
  });
  mount(app, eventsRoute, async (c) => {
    const { id } = await findBatch(c);
    const events = requireBatches(c).streamEvents(id, c.req.raw.signal);
    return c.body(events, 200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  });
  return app;
}

/** @throws {CodedError} `batch_not_configured`. */
export function requireBatches(c: Context<HonoEnv>): BatchDoor {
  const { batches } = c.get('options');
  if (batches) return batches;
  throw new CodedError('batch_not_configured', 'This deployment has no database for batches.');
}

const ownerOf = (c: Context<HonoEnv>) => c.get('principal').id;

/** A batch of someone else does not exist. */
async function findBatch(c: Context<HonoEnv>): Promise<Batch> {
  const batch = await requireBatches(c).find(c.req.param('id') ?? '');
  if (batch?.owner === ownerOf(c)) return batch;
  throw new CodedError('batch_unknown', 'There is no batch of this id.');
}

function toDeliveryJson({ id, type, url, state, attempts, nextAttemptAt, log }: LoggedDelivery) {
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

function readIdempotencyKey(c: Context): string | undefined {
  const key = c.req.header('idempotency-key');
  if (key === undefined || idempotencyKeySchema.safeParse(key).success) return key;
  throw new CodedError(
    'idempotency_key_invalid',
    'Idempotency-Key must be 1 to 255 visible ASCII characters.',
  );
}

function parseQuery<T>(c: Context, name: string, schema: z.ZodType<T>, fallback: T): T {
  const value = c.req.query(name);
  if (value === undefined) return fallback;
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new CodedError('option_invalid', `${name}: ${parsed.error.issues[0]!.message}.`);
}
