import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { ModelManifest } from '../../model/manifest.ts';
import { toProblem } from '../../problem.ts';
import { answerImage, readModel } from '../answer-image.ts';
import type { HonoEnv } from '../context.ts';
import { needs } from '../middleware/access.ts';
import { createRouter, mount, pictureCodes, problemResponses, referenceCodes } from '../openapi.ts';
import {
  type ClassifyRequest,
  type ImageInput,
  jsonBodySchema,
  parseClassifyQuery,
  parseClassifyRequest,
  referenceSchema,
} from '../parse-classify-request.ts';
import { optionsSchema } from '../request-options.ts';
import { classificationSchema, classificationsSchema } from '../schemas.ts';

const bytesSchema = z.string().openapi({ type: 'string', format: 'binary' });
const formSchema = z.object({
  image: z.union([bytesSchema, z.array(bytesSchema).max(16)]).openapi({
    type: 'array',
    items: { type: 'string', format: 'binary' },
    maxItems: 16,
    description: 'One to sixteen files.',
  }),
  ...optionsSchema.partial().shape,
});

const answers = {
  200: {
    description: 'One image: its predictions. Several: one result each, a bad one does not spoil the others.',
    headers: z.object({
      etag: z
        .string()
        .optional()
        .openapi({ description: 'Names the answer; the same question has the same.' }),
      'cache-status': z.string().optional().openapi({ description: 'RFC 9211.' }),
      'server-timing': z.string().optional(),
    }),
    content: { 'application/json': { schema: z.union([classificationSchema, classificationsSchema]) } },
  },
  304: { description: 'If-None-Match names this very answer.' },
};

export const classifyRoute = createRoute({
  method: 'post',
  path: '/v1/classify',
  operationId: 'classify',
  tags: ['classify'],
  summary: 'What is in this picture?',
  description: 'Image bytes, a form with up to 16 files, or JSON with base64, a URL or a key of the bucket.',
  request: {
    query: optionsSchema,
    body: {
      required: true,
      content: {
        'application/octet-stream': { schema: bytesSchema },
        'image/*': { schema: bytesSchema },
        'multipart/form-data': { schema: formSchema },
        'application/json': { schema: jsonBodySchema },
      },
    },
  },
  responses: { ...answers, ...problemResponses(...pictureCodes, ...referenceCodes) },
});

export const classifyByReferenceRoute = createRoute({
  method: 'get',
  path: '/v1/classify',
  operationId: 'classifyByReference',
  tags: ['classify'],
  summary: 'What is in the picture at this URL?',
  request: { query: optionsSchema.extend(referenceSchema.shape) },
  responses: { ...answers, ...problemResponses(...pictureCodes, ...referenceCodes) },
});

export function classifyRoutes() {
  const app = createRouter();
  app.use('/v1/classify', needs('classify'));
  mount(app, classifyRoute, async (c) => {
    const { catalog, sessions } = c.get('options');
    // The body may take a while to arrive: an isolate without the model loads it meanwhile.
    catalog
      .readManifest(c.req.query('model'))
      .then((expected) => sessions.preload(expected, c.get('keepAlive')))
      .catch(() => undefined);
    return await answerRequest(c, await parseClassifyRequest(c));
  });
  mount(app, classifyByReferenceRoute, async (c) => await answerRequest(c, await parseClassifyQuery(c)));
  return app;
}

async function answerRequest(c: Context<HonoEnv>, request: ClassifyRequest): Promise<Response> {
  const timing = c.get('timing');
  await timing.lap('receive');
  const manifest = await readModel(c, request.model);
  c.header('cache-control', 'private, no-cache');
  const [first, ...others] = request.images;
  const answer =
    first && others.length === 0
      ? await answerOne(c, first, manifest, request)
      : { results: await answerEach(c, request.images, manifest, request) };
  const header = timing.header();
  if (header) c.header('server-timing', header);
  if (answer === 'not modified') return c.body(null, 304);
  return c.json({
    id: c.get('requestId'),
    model: manifest.name,
    model_version: manifest.version,
    ...answer,
  });
}

async function answerOne(
  c: Context<HonoEnv>,
  { bytes }: ImageInput,
  manifest: ModelManifest,
  request: ClassifyRequest,
) {
  const name = await c.get('options').classifier.nameAnswer(bytes, manifest, request);
  // Weak: two answers to the same question differ in their request id.
  const etag = `W/"${name.slice(0, 32)}"`;
  c.header('etag', etag);
  // A POST that only asks is as safe as a GET, and answers like one (RFC 9110 would have 412 for POST).
  if (listsTag(c.req.header('if-none-match'), etag)) return 'not modified';
  const answer = await answerImage(c, bytes, manifest, request, name);
  c.header('cache-status', toCacheStatus[answer.origin]);
  return answer.classification;
}

/** RFC 9211. */
const toCacheStatus = {
  hit: 'resnet-edge; hit',
  miss: 'resnet-edge; fwd=miss; stored',
  shared: 'resnet-edge; fwd=miss; collapsed',
  bypass: 'resnet-edge; fwd=bypass',
} as const;

function listsTag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((tag) => tag.trim() === etag || tag.trim() === etag.slice(2));
}

/** One after the other: a bad image gets its own problem and does not spoil the others. */
async function answerEach(
  c: Context<HonoEnv>,
  images: readonly ImageInput[],
  manifest: ModelManifest,
  request: ClassifyRequest,
) {
  const results: unknown[] = [];
  for (const [index, { name, bytes }] of images.entries()) {
    try {
      const { tier, image, predictions } = (await answerImage(c, bytes, manifest, request)).classification;
      results.push({ index, name, tier, image, predictions });
    } catch (error) {
      // Nobody reads the others any more.
      if (c.get('isCancelled')()) throw error;
      const problem = toProblem(error);
      if (problem.status >= 500)
        c.get('options').log('error', { code: problem.code, request_id: c.get('requestId'), error });
      results.push({ index, name, problem });
    }
  }
  return results;
}
