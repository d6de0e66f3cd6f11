import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import { CodedError } from '../../errors.ts';
import type { Batch, ListPlace } from '../../jobs/batch/batch.ts';
import type { BatchDatabase } from '../../jobs/batch/batch-database.ts';
import type { BatchServices } from '../../jobs/batch/batch-services.ts';
import { toBatchJson } from '../../jobs/batch/batch-wire.ts';
import type { LoggedDelivery } from '../../jobs/batch/delivery.ts';
import { formatIssue } from '../../lib/format-issue.ts';
import { edgeItemWaitMs, maxBatchItems, maxBodyBytes } from '../../limits.ts';
import { readBatchBody } from '../batch-body/read-batch-body.ts';
import type { HeldBody } from '../body-budget.ts';
import type { HonoEnv } from '../context.ts';
import { addressPrefix, needs, toPayer } from '../middleware/access.ts';
import { createRouter, mount } from '../openapi.ts';
import { assertPlainBody } from '../read-body.ts';
import {
  cancelRoute,
  deliveriesRoute,
  eventsRoute,
  listRoute,
  readRoute,
  resultsRoute,
  submitRoute,
} from './batch-declarations.ts';

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

/**
 * /v1/batches and the routes below it. A batch belongs to the key that made it. A batch that was made without a key is
 * in no list; everybody who knows its id, which nobody can guess, may read it.
 */
export function batchRoutes() {
  const app = createRouter();
  app.use('/v1/batches', needs('batch'));
  app.use('/v1/batches/*', needs('batch'));
  mount(app, submitRoute, async (c) => {
    const batches = requireBatches(c);
    assertPlainBody(c.req.raw);
    const caller = { owner: ownerOf(c), idempotencyKey: readIdempotencyKey(c) };
    let item: HeldBody | undefined;
    const openItem = () => {
      const opened = c.get('openBody')(maxBodyBytes, undefined, Date.now() + edgeItemWaitMs);
      item = opened;
      return (bytes: number) => opened.growTo(bytes);
    };
    const isOverdue = () => item?.isOverdue() === true;
    const inputs = readBatchBody(c.req.raw, c.get('options').createSha256, openItem, isOverdue);
    const { batch, replayed } = await batches.submit(inputs, caller);
    const record = c.get('record');
    record.model = batch.model;
    record.images = batch.total;
    c.header('location', `/v1/batches/${batch.id}`);
    if (replayed) c.header('idempotency-replayed', 'true');
    return c.json(toBatchJson(batch), 202);
  });
  mount(app, listRoute, async (c) => {
    const batches = requireBatches(c);
    const limit = parseQuery(c, 'limit', limitSchema, 20);
    const place = readPlace(c.req.query('before'));
    const list = isAnonymous(c) ? [] : await batches.list(ownerOf(c), limit, place);
    const next = list.length === limit ? formatPlace(list.at(-1)!) : null;
    return c.json({ batches: list.map((batch) => toBatchJson(batch)), next_before: next });
  });
  mount(app, readRoute, async (c) => c.json(toBatchJson((await findBatch(c)).batch)));
  mount(app, cancelRoute, async (c) => {
    const { batch, database } = await findBatch(c);
    await database.cancel(batch);
    return c.json(toBatchJson((await database.store.find(batch.id)) ?? batch));
  });
  mount(app, deliveriesRoute, async (c) => {
    const { batch, database } = await findBatch(c);
    const deliveries = await database.deliveries.log(batch.id);
    return c.json({ deliveries: deliveries.map(toDeliveryJson) });
  });
  mount(app, resultsRoute, async (c) => {
    const { batch, database } = await findBatch(c);
    const body = await database.streamResults(batch, parseQuery(c, 'cursor', cursorSchema, 0));
    return c.body(body, 200, {
      'content-type': 'application/x-ndjson',
      'x-batch-status': batch.status,
      'x-total-count': String(batch.total),
    });
  });
  mount(app, eventsRoute, async (c) => {
    const { batch: found, database } = await findBatch(c);
    const events = database.streamEvents(found.id, c.req.raw.signal);
    const response = streamSSE(c, async (stream) => {
      for await (const { event, batch } of events) {
        await stream.writeSSE({ event, data: JSON.stringify(toBatchJson(batch)) });
        if (stream.aborted) return;
      }
    });
    response.headers.set('cache-control', 'no-store');
    return response;
  });
  return app;
}

/** @throws {CodedError} `batch_not_configured`. */
export function requireBatches(c: Context<HonoEnv>): BatchServices {
  const { batches } = c.get('options');
  if (batches) return batches;
  throw new CodedError('batch_not_configured', 'This deployment has no database for batches.');
}

const isAnonymous = (c: Context<HonoEnv>) => c.get('principal').kind === 'public';

/** The owner of a batch. The address distinguishes anonymous callers, for quotas and for their Idempotency-Keys. */
export const ownerOf = (c: Context<HonoEnv>) => (isAnonymous(c) ? toPayer(c) : c.get('principal').id);

/** A batch and the database that it lies in. A batch of someone else does not exist. */
async function findBatch(c: Context<HonoEnv>): Promise<{ batch: Batch; database: BatchDatabase }> {
  const id = c.req.param('id') ?? '';
  const database = requireBatches(c).databaseOf(id);
  const batch = await database?.store.find(id);
  const isMine = isAnonymous(c) ? batch?.owner.startsWith(addressPrefix) : batch?.owner === ownerOf(c);
  if (database && batch && isMine) return { batch, database };
  throw new CodedError('batch_unknown', 'There is no batch of this id.');
}

/** `before` is a time, or the `next_before` of a page: time and id of its last batch. */
function readPlace(before: string | undefined): ListPlace {
  if (before === undefined) return { createdAt: Date.now() + 1, id: '' };
  const [time = '', id = ''] = before.split(',', 2);
  const createdAt = Date.parse(time);
  if (!Number.isNaN(createdAt)) return { createdAt, id };
  throw new CodedError('option_invalid', 'before must be a time, ISO 8601, or the next_before of a page.');
}

function formatPlace({ createdAt, id }: ListPlace): string {
  return `${new Date(createdAt).toISOString()},${id}`;
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
  throw new CodedError('option_invalid', `${formatIssue(parsed.error.issues[0], name)}.`);
}
