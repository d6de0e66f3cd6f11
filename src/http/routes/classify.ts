import type { Context } from 'hono';
import type { ClassifyChoice } from '../../classify/choice.ts';
import type { ModelManifest } from '../../model/manifest.ts';
import { toProblem } from '../../problem.ts';
import { answerImage, readModel } from '../answer-image.ts';
import type { HonoEnv } from '../context.ts';
import { needs } from '../middleware/access.ts';
import { createRouter, mount } from '../openapi.ts';
import {
  type ClassifyFormRequest,
  type ClassifyRequest,
  type ImageInput,
  parseClassifyForm,
  parseClassifyJson,
  parseClassifyQuery,
  parseClassifyRequest,
} from '../parse-classify-request.ts';
import {
  classifyByReferenceRoute,
  classifyFormRoute,
  classifyJsonRoute,
  classifyRoute,
} from './classify-declarations.ts';

export function classifyRoutes() {
  const app = createRouter();
  app.use('/v1/classify', needs('classify'));
  app.use('/v1/classify/*', needs('classify'));
  mount(app, classifyByReferenceRoute, async (c) => await answerOne(c, await parseClassifyQuery(c)));
  const declarations = [
    [classifyRoute, async (c) => await answerOne(c, await parseClassifyRequest(c))],
    [classifyJsonRoute, async (c) => await answerOne(c, await parseClassifyJson(c))],
    [classifyFormRoute, async (c) => await answerForm(c, await parseClassifyForm(c))],
  ] as const satisfies [Parameters<typeof mount>[1], (c: Context<HonoEnv>) => Promise<Response>][];
  for (const [route, answer] of declarations) {
    mount(app, route, async (c) => {
      preloadModel(c);
      return await answer(c);
    });
  }
  return app;
}

/** The body may take a while to arrive: an isolate without the model loads it meanwhile. */
function preloadModel(c: Context<HonoEnv>): void {
  const { catalog, sessions } = c.get('options');
  catalog
    .readManifest(c.req.query('model'))
    .then((expected) => sessions.preload(expected, c.get('keepAlive')))
    .catch(() => undefined);
}

async function answerOne(c: Context<HonoEnv>, request: ClassifyRequest): Promise<Response> {
  await c.get('timing').lap('receive');
  const manifest = await readModel(c, request.model);
  c.header('cache-control', 'private, no-cache');
  const { bytes } = request.image;
  const name = await c.get('options').classifier.nameAnswer(bytes, manifest, request);
  // Weak: two answers to the same question differ in their request id.
  const etag = `W/"${name.slice(0, 32)}"`;
  c.header('etag', etag);
  // A POST that only asks is as safe as a GET, and answers like one (RFC 9110 would have 412 for POST).
  if (listsTag(c.req.header('if-none-match'), etag)) {
    writeServerTiming(c);
    return c.body(null, 304);
  }
  const answer = await answerImage(c, bytes, manifest, request, name);
  c.header('cache-status', toCacheStatus[answer.origin]);
  writeServerTiming(c);
  return c.json({ id: c.get('requestId'), ...answer.classification });
}

async function answerForm(c: Context<HonoEnv>, request: ClassifyFormRequest): Promise<Response> {
  await c.get('timing').lap('receive');
  const manifest = await readModel(c, request.model);
  c.header('cache-control', 'private, no-cache');
  const results = await answerEach(c, request.images, manifest, request);
  writeServerTiming(c);
  return c.json({
    id: c.get('requestId'),
    model: manifest.name,
    model_version: manifest.version,
    results,
  });
}

function writeServerTiming(c: Context<HonoEnv>): void {
  const header = c.get('timing').header();
  if (header) c.header('server-timing', header);
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
  choice: ClassifyChoice,
) {
  const results: unknown[] = [];
  for (const [index, { name, bytes }] of images.entries()) {
    try {
      const { tier, image, predictions } = (await answerImage(c, bytes, manifest, choice)).classification;
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
