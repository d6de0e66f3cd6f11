import { Hono } from 'hono';
import type { BatchServices } from '../batch/batch-services.ts';
import { CodedError } from '../errors.ts';
import { maxWebhookBytes } from '../limits.ts';
import { readBody } from './read-body.ts';

/**
 * POST /v1/webhooks/{source}: an event becomes a batch of one image, so that it is stored, retried and
 * reported like any other. The event's id is the batch's idempotency key: a replay changes nothing.
 */
export function webhookRoutes(batches: BatchServices): Hono {
  return new Hono().post('/webhooks/:source', async (c) => {
    const source = batches.sources.get(c.req.param('source'));
    if (!source) throw new CodedError('webhook_source_unknown', 'There is no webhook source of this name.');
    const body = await readBody(c.req.raw, maxWebhookBytes);
    const eventId = await source.verify(c.req.raw.headers, body);
    const submission = new Request(c.req.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        inputs: [{ url: source.readImageUrl(body) }],
        metadata: { source: source.name, event_id: eventId.slice(0, 200) },
        ...(source.model !== undefined && { model: source.model }),
        ...(source.topK !== undefined && { top_k: source.topK }),
        ...(source.callbackUrl !== undefined && { webhook_url: source.callbackUrl }),
      }),
    });
    const { batch, replayed } = await batches.submit(submission, `webhook:${source.name}`, eventId);
    return c.json({ event_id: eventId, batch_id: batch.id, replayed }, 202);
  });
}
