import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { CodedError } from '../../errors.ts';
import type { LabelledObject } from '../../jobs/objects/object-label-store.ts';
import type { HonoEnv } from '../context.ts';
import { needs } from '../middleware/access.ts';
import { createRouter, mount, problemResponses } from '../openapi.ts';
import { batchResultSchema } from '../schemas/batch.ts';
import { jsonContent } from '../schemas/content.ts';

const objectSchema = z
  .object({
    key: z.string(),
    etag: z.string(),
    labelled_at: z.string().openapi({ format: 'date-time' }),
    ...batchResultSchema.omit({ index: true, name: true }).shape,
  })
  .openapi('LabelledObject', { description: 'Either a classification, or `problem`.' });
const objectListSchema = z
  .object({ objects: z.array(objectSchema), next_after: z.string().nullable() })
  .openapi('LabelledObjectList');

const listRoute = createRoute({
  tags: ['objects'],
  method: 'get',
  path: '/v1/objects',
  operationId: 'listObjects',
  summary: 'Labels of the bucket’s objects, by key',
  request: {
    query: z.object({
      prefix: z.string().optional(),
      after: z.string().optional(),
      limit: z.string().optional(),
    }),
  },
  responses: {
    200: {
      description: '`next_after` asks for the next page.',
      content: jsonContent(objectListSchema),
    },
    ...problemResponses('r2_not_configured'),
  },
});
const readRoute = createRoute({
  tags: ['objects'],
  method: 'get',
  path: '/v1/objects/{key}',
  operationId: 'readObject',
  summary: 'Labels of one object; slashes of the key as %2F',
  request: { params: z.object({ key: z.string() }) },
  responses: {
    200: { description: 'The object.', content: jsonContent(objectSchema) },
    ...problemResponses('r2_not_configured', 'r2_key_unknown'),
  },
});
const limitSchema = z
  .string()
  .regex(/^\d{1,4}$/)
  .default('100')
  .transform(Number)
  .pipe(z.int().min(1).max(1000));

/** What R2's event notifications have brought (src/jobs/objects). */
export function objectRoutes() {
  const app = createRouter();
  app.use('/v1/objects', needs('batch'));
  app.use('/v1/objects/*', needs('batch'));
  mount(app, listRoute, async (c) => {
    const limit = limitSchema.safeParse(c.req.query('limit'));
    if (!limit.success) throw new CodedError('option_invalid', 'limit must be from 1 to 1000.');
    const { prefix = '', after = '' } = c.req.query();
    const objects = await requireObjects(c).store.list(prefix, after, limit.data);
    const next = objects.length === limit.data ? objects.at(-1)!.key : null;
    return c.json({ objects: objects.map(toJson), next_after: next });
  });
  mount(app, readRoute, async (c) => {
    const object = await requireObjects(c).store.find(c.req.param('key') ?? '');
    if (!object) throw new CodedError('r2_key_unknown', 'There are no labels of an object of this key.');
    return c.json(toJson(object));
  });
  return app;
}

function requireObjects(c: Context<HonoEnv>) {
  const { objects } = c.get('options');
  if (objects) return objects;
  throw new CodedError('r2_not_configured', 'No bucket reports its objects (OBJECT_EVENTS_BUCKET).');
}

function toJson({ key, etag, labelledAt, result }: LabelledObject) {
  return { key, etag, labelled_at: new Date(labelledAt).toISOString(), ...result };
}
