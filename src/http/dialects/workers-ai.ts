import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { defaultChoice } from '../../classify/choice.ts';
import { CodedError } from '../../errors.ts';
import { maxJsonBodyBytes } from '../../limits.ts';
import { answerError } from '../answer-error.ts';
import { answerImage, readModel } from '../answer-image.ts';
import type { HonoEnv } from '../context.ts';
import { sampleImageBytes } from '../examples.ts';
import { needs } from '../middleware/access.ts';
import { createRouter, mount, pictureCodes, problemResponses } from '../openapi.ts';
import { labelScoresSchema } from '../schemas/classification.ts';
import { jsonContent } from '../schemas/content.ts';
import { readDialectImage } from './read-dialect-image.ts';

/** Workers AI always answers with five classes. */
const workersAiTopK = 5;

/** The elements of the array are checked by hand below, because a schema is too slow for a million elements. */
const requestSchema = z
  .object({
    image: z.array(z.int().min(0).max(255)).max(maxJsonBodyBytes).openapi({
      description: 'The file’s bytes as numbers. Base64 is taken as well.',
    }),
  })
  .openapi('WorkersAiRequest');
const envelopeSchema = z
  .object({
    result: labelScoresSchema,
    success: z.boolean(),
    errors: z.array(z.unknown()),
    messages: z.array(z.unknown()),
  })
  .openapi('WorkersAiEnvelope');

const body = {
  required: true,
  content: { 'application/json': { schema: requestSchema, example: { image: sampleImageBytes } } },
};
const modelParameter = z.string().openapi({ example: '@cf/microsoft/resnet-50' });

const runRoute = createRoute({
  method: 'post',
  path: '/ai/run/{model}',
  operationId: 'workersAiRun',
  tags: ['dialects'],
  summary: 'Workers AI image classification',
  description: 'The file’s bytes are taken as the body as well.',
  request: { params: z.object({ model: modelParameter }), body },
  responses: {
    200: { description: 'Five labels.', content: jsonContent(labelScoresSchema) },
    ...problemResponses(...pictureCodes),
  },
});

const restRoute = createRoute({
  method: 'post',
  path: '/client/v4/accounts/{account_id}/ai/run/{model}',
  operationId: 'workersAiRest',
  tags: ['dialects'],
  summary: 'The path of Cloudflare’s SDKs, with their envelope; the account is not looked at',
  request: {
    params: z.object({ account_id: z.string().openapi({ example: 'any' }), model: modelParameter }),
    body,
  },
  responses: {
    200: { description: 'Five labels.', content: jsonContent(envelopeSchema) },
    ...problemResponses(...pictureCodes),
  },
});

/** `POST /ai/run/@cf/microsoft/resnet-50`, and the same behind the REST path of Cloudflare's SDKs. */
export function workersAiRoutes() {
  const app = createRouter();
  app.onError((error, c) =>
    answerError(error, c, ({ status, detail, code }) => ({
      success: false,
      result: null,
      errors: [{ code: status, message: `${detail} (${code})` }],
      messages: [],
    })),
  );
  app.use('/ai/run/*', needs('classify'));
  app.use('/client/v4/accounts/*', needs('classify'));
  mount(app, runRoute, async (c) => c.json(await run(c), 200), '/ai/run/:model{.+}');
  mount(
    app,
    restRoute,
    async (c) => c.json({ result: await run(c), success: true, errors: [], messages: [] }, 200),
    '/client/v4/accounts/:account_id/ai/run/:model{.+}',
  );
  return app;
}

async function run(c: Context<HonoEnv>): Promise<z.infer<typeof labelScoresSchema>> {
  const manifest = await readModel(c, c.req.param('model'));
  const { bytes } = await readDialectImage(c, parseJson);
  const { classification } = await answerImage(c, bytes, manifest, {
    ...defaultChoice,
    topK: workersAiTopK,
  });
  return classification.predictions.map(({ label, score }) => ({ label, score }));
}

function parseJson(json: unknown): { image: string | readonly number[]; options: undefined } {
  const image = (json as { image?: unknown } | null)?.image;
  if (typeof image === 'string') return { image, options: undefined };
  if (!Array.isArray(image)) {
    throw new CodedError('json_invalid', 'Expected {"image": [bytes]} or {"image": "base64"}.');
  }
  const wrong = image.findIndex((byte) => !Number.isInteger(byte) || byte < 0 || byte > 255);
  if (wrong >= 0) {
    throw new CodedError('json_invalid', `image[${wrong}] must be a whole number from 0 to 255.`);
  }
  if (image.length === 0) throw new CodedError('body_empty', 'The image has no bytes.');
  return { image, options: undefined };
}
