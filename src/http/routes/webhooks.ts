import { createRoute, z } from '@hono/zod-openapi';
import { CodedError } from '../../errors.ts';
import type { BatchInputs, BatchOptions } from '../../jobs/batch/batch-inputs.ts';
import type { WebhookSource } from '../../jobs/webhook/webhook-source.ts';
import { digestHex } from '../../lib/digest.ts';
import { defaultTopK, maxWebhookBytes } from '../../limits.ts';
import { countingRefusals } from '../middleware/access.ts';
import { bodyCodes, createRouter, mount, problemResponses } from '../openapi.ts';
import { readBody } from '../read-body.ts';
import { jsonContent } from '../schemas/content.ts';
import { requireBatches } from './batches.ts';

const eventSchema = z.record(z.string(), z.unknown()).openapi('WebhookEvent', {
  description: 'What the source sends. Its configuration says where the image’s URL stands.',
  example: { type: 'photo.created', data: { image_url: 'https://example.com/photo.jpg' } },
});
const answerSchema = z
  .object({
    event_id: z.string(),
    batch_id: z.string().optional().openapi({ description: 'Absent in the answer to a ping.' }),
    replayed: z.boolean().optional(),
  })
  .openapi('WebhookAnswer');

const webhookRoute = createRoute({
  method: 'post',
  path: '/v1/webhooks/{source}',
  operationId: 'receiveWebhook',
  tags: ['webhooks'],
  summary: 'An event of a configured source: its picture is classified, the result sent to the callback',
  description:
    'Authenticated by its signature (Standard Webhooks, or X-Hub-Signature-256), not by an API key.',
  security: [],
  request: {
    params: z.object({ source: z.string().openapi({ example: 'shop' }) }),
    body: { required: true, content: jsonContent(eventSchema) },
  },
  responses: {
    200: {
      description: 'A ping of GitHub: somebody is there.',
      content: jsonContent(answerSchema),
    },
    202: {
      description: 'Taken. The same event again changes nothing.',
      content: jsonContent(answerSchema),
    },
    ...problemResponses(
      'batch_not_configured',
      'webhook_source_unknown',
      'webhook_signature_invalid',
      'webhook_event_unusable',
      ...bodyCodes,
      'json_invalid',
      'idempotency_key_in_use',
      'idempotency_key_reused',
      'batch_unknown',
      'url_invalid',
      'url_forbidden',
      'model_unknown',
      'model_unavailable',
      'model_manifest_invalid',
      'model_requires_batch_tier',
      'overloaded',
    ),
  },
});

/**
 * An event becomes a batch of one picture, so that it is stored, retried and reported like any other batch. The event's
 * id is the batch's idempotency key, so a replay changes nothing.
 */
export function webhookRoutes() {
  const app = createRouter();
  mount(app, webhookRoute, async (c) => {
    const batches = requireBatches(c);
    const source = batches.sources.get(c.req.param('source') ?? '');
    if (!source) throw new CodedError('webhook_source_unknown', 'There is no webhook source of this name.');
    const { headers } = c.req.raw;
    const { body, eventId } = await countingRefusals(c, async () => {
      source.checkHeaders(headers);
      const body = await readBody(c, maxWebhookBytes);
      return { body, eventId: await source.verify(headers, body) };
    });
    if (source.isPing(headers)) return c.json({ event_id: eventId }, 200);
    const inputs = toBatchInputs(source, eventId, source.readImageUrl(headers, body));
    const caller = { owner: `webhook:${source.name}`, idempotencyKey: eventId };
    const { batch, replayed } = await batches.submit(inputs, caller);
    return c.json({ event_id: eventId, batch_id: batch.id, replayed }, 202);
  });
  return app;
}

/** The digest covers only the picture's address, because the rest of the batch follows from the source's configuration. */
function toBatchInputs(
  { name, model, topK, callbackUrl }: WebhookSource,
  eventId: string,
  url: string,
): BatchInputs {
  const options: BatchOptions = {
    model,
    task: 'classify',
    topK: topK ?? defaultTopK,
    webhookUrl: callbackUrl,
    metadata: { source: name, event_id: eventId.slice(0, 200) },
  };
  return {
    model,
    inputs: (async function* () {
      yield { url };
    })(),
    options: () => options,
    digest: () => digestHex(JSON.stringify([url, options])),
  };
}
