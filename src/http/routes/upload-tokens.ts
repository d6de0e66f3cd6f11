import { createRoute, z } from '@hono/zod-openapi';
import { CodedError } from '../../errors.ts';
import { formatIssue } from '../../lib/format-issue.ts';
import { defaultUploadTokenSeconds, maxUploadTokenSeconds } from '../../limits.ts';
import { needs } from '../middleware/access.ts';
import { bodyCodes, createRouter, mount, problemResponses } from '../openapi.ts';
import { readJsonBody } from '../read-body.ts';

const maxRequestBytes = 4096;

const requestSchema = z
  .strictObject({
    expires_in_seconds: z
      .int()
      .min(5)
      .max(maxUploadTokenSeconds)
      .optional()
      .openapi({ description: `${defaultUploadTokenSeconds} where nothing is said.` }),
    origin: z
      .string()
      .max(300)
      .regex(/^https?:\/\/[^/\s]+$/)
      .optional()
      .openapi({ description: 'The page that may use it, for example https://shop.example.' }),
  })
  .openapi('UploadTokenRequest');

const createTokenRoute = createRoute({
  method: 'post',
  path: '/v1/upload-tokens',
  operationId: 'createUploadToken',
  tags: ['service'],
  summary: 'A short-lived token for a browser or a phone, which then needs no key',
  request: {
    body: {
      required: true,
      content: { 'application/json': { schema: requestSchema, example: { expires_in_seconds: 600 } } },
    },
  },
  responses: {
    201: {
      description: 'Send it as `Authorization: Bearer`. It classifies, and nothing else.',
      content: {
        'application/json': {
          schema: z.object({ token: z.string(), expires_at: z.string() }).openapi('UploadToken'),
        },
      },
    },
    ...problemResponses('upload_tokens_not_configured', ...bodyCodes, 'json_invalid', 'overloaded'),
  },
});

export function uploadTokenRoutes() {
  const app = createRouter();
  app.use('/v1/upload-tokens', needs('classify'));
  mount(app, createTokenRoute, async (c) => {
    const parsed = requestSchema.safeParse(await readJsonBody(c, maxRequestBytes));
    if (!parsed.success) {
      throw new CodedError('json_invalid', `${formatIssue(parsed.error.issues[0], 'body')}.`);
    }
    const { expires_in_seconds = defaultUploadTokenSeconds, origin } = parsed.data;
    const { token, expiresAt } = await c
      .get('options')
      .access.issueUploadToken(c.get('principal'), expires_in_seconds, origin);
    c.header('cache-control', 'no-store');
    return c.json({ token, expires_at: new Date(expiresAt).toISOString() }, 201);
  });
  return app;
}
