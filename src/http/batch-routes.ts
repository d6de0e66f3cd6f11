import { type Context, Hono } from 'hono';
import { z } from 'zod';
import type { Batch } from '../batch/batch.ts';
import type { BatchServices } from '../batch/batch-services.ts';
import { toBatchJson } from '../batch/batch-wire.ts';
import { streamEvents } from '../batch/stream-events.ts';
import { streamResults } from '../batch/stream-results.ts';
import { CodedError } from '../errors.ts';
import { maxBatchItems } from '../limits.ts';

/** Whose batch it is: the id of an API key, or '' in a public deployment. */
export type OwnerOf = (c: Context) => string;

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

/** /v1/batches and what lies under it. */
export function batchRoutes(batches: BatchServices, ownerOf: OwnerOf): Hono {
  /** A batch of someone else does not exist. */
  const findBatch = async (c: Context): Promise<Batch> => {
    const batch = await batches.store.find(c.req.param('id') ?? '');
    if (batch?.owner === ownerOf(c)) return batch;
    throw new CodedError('batch_unknown', 'There is no batch of this id.');
  };

  return new Hono()
    .post('/batches', async (c) => {
      const { batch, replayed } = await batches.submit(c.req.raw, ownerOf(c), readIdempotencyKey(c));
      c.header('location', `/v1/batches/${batch.id}`);
      if (replayed) c.header('idempotency-replayed', 'true');
      return c.json(toBatchJson(batch), 202);
    })
    .get('/batches', async (c) => {
      const limit = parseQuery(c, 'limit', limitSchema, 20);
      const before = c.req.query('before');
      const time = before === undefined ? Date.now() + 1 : Date.parse(before);
      if (Number.isNaN(time)) throw new CodedError('option_invalid', 'before must be a time, ISO 8601.');
      const list = await batches.store.list(ownerOf(c), limit, time);
      const next = list.length === limit ? new Date(list.at(-1)!.createdAt).toISOString() : null;
      return c.json({ batches: list.map((batch) => toBatchJson(batch)), next_before: next });
    })
    .get('/batches/:id', async (c) => c.json(toBatchJson(await findBatch(c))))
    .get('/batches/:id/deliveries', async (c) => {
      const { id } = await findBatch(c);
      const deliveries = await batches.deliveries.log(id);
      return c.json({
        deliveries: deliveries.map(({ id: deliveryId, type, url, state, attempts, nextAttemptAt, log }) => ({
          id: deliveryId,
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
        })),
      });
    })
    .get('/batches/:id/results', async (c) => {
      const batch = await findBatch(c);
      const cursor = parseQuery(c, 'cursor', cursorSchema, 0);
      const body = await streamResults(batch, cursor, batches.store, batches.results);
      return c.body(body, 200, {
        'content-type': 'application/x-ndjson',
        'x-batch-status': batch.status,
        'x-total-count': String(batch.total),
      });
    })
    .get('/batches/:id/events', async (c) => {
      const { id } = await findBatch(c);
      const events = streamEvents(id, batches.store, (batch) => toBatchJson(batch), c.req.raw.signal);
      return c.body(events, 200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    })
    .delete('/batches/:id', async (c) => {
      const batch = await findBatch(c);
      await batches.cancel(batch);
      return c.json(toBatchJson((await batches.store.find(batch.id)) ?? batch));
    });
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
  const text = c.req.query(name);
  if (text === undefined) return fallback;
  const parsed = schema.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new CodedError('option_invalid', `${name}: ${parsed.error.issues[0]!.message}.`);
}
