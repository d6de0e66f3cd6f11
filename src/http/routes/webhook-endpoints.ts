import { createRoute, z } from '@hono/zod-openapi';
import { CodedError } from '../../errors.ts';
import { endpointGoneMs, maxUrlLength } from '../../limits.ts';
import { needs } from '../middleware/access.ts';
import { createRouter, mount, problemResponses } from '../openapi.ts';
import { jsonContent } from '../schemas/content.ts';
import { ownerOf, requireBatches } from './batches.ts';

const time = z.string().openapi({ format: 'date-time' });
const listSchema = z
  .object({
    endpoints: z.array(
      z.object({ url: z.string(), gone_at: time, until: time }).openapi('GoneWebhookEndpoint'),
    ),
  })
  .openapi('GoneWebhookEndpointList');

const listRoute = createRoute({
  method: 'get',
  path: '/v1/webhook-endpoints',
  operationId: 'listGoneWebhookEndpoints',
  tags: ['batches'],
  summary: 'Addresses that answered 410: your batches send no webhooks there for a week',
  responses: {
    200: { description: 'The addresses.', content: jsonContent(listSchema) },
    ...problemResponses('batch_not_configured'),
  },
});

const restoreRoute = createRoute({
  method: 'delete',
  path: '/v1/webhook-endpoints',
  operationId: 'restoreWebhookEndpoint',
  tags: ['batches'],
  summary: 'Send webhooks to an address again',
  request: { query: z.object({ url: z.string().max(maxUrlLength) }) },
  responses: {
    204: { description: 'It gets webhooks again.' },
    ...problemResponses('batch_not_configured', 'webhook_endpoint_unknown'),
  },
});

/** Addresses of webhooks that were given up, for the key whose batches they belong to. */
export function webhookEndpointRoutes() {
  const app = createRouter();
  app.use('/v1/webhook-endpoints', needs('batch'));
  mount(app, listRoute, async (c) => {
    const gone = await requireBatches(c).listGone(ownerOf(c));
    const toTime = (milliseconds: number) => new Date(milliseconds).toISOString();
    const endpoints = gone.map(({ url, at }) => ({
      url,
      gone_at: toTime(at),
      until: toTime(at + endpointGoneMs),
    }));
    return c.json({ endpoints });
  });
  mount(app, restoreRoute, async (c) => {
    if (await requireBatches(c).restoreGone(ownerOf(c), c.req.query('url') ?? '')) {
      return c.body(null, 204);
    }
    throw new CodedError('webhook_endpoint_unknown', 'No such address is given up.');
  });
  return app;
}
