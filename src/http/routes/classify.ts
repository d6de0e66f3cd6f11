import type { Context } from 'hono';
import { answerEach } from '../answer-each.ts';
import { answerImage, answerImageOfHeads, preloadModel, readModels, toTenant } from '../answer-image.ts';
import type { HonoEnv } from '../context.ts';
import {
  type ImageFormRequest,
  type ImageRequest,
  parseImageForm,
  parseImageJson,
  parseImageQuery,
  parseImageRequest,
} from '../image-request/parse-image-request.ts';
import { type ClassifyRequestOptions, classifyOptions } from '../image-request/request-options.ts';
import { needs } from '../middleware/access.ts';
import { createRouter, mount } from '../openapi.ts';
import { writeServerTiming } from '../write-server-timing.ts';
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
  mount(
    app,
    classifyByReferenceRoute,
    async (c) => await answerOne(c, await parseImageQuery(c, classifyOptions)),
  );
  const declarations = [
    [classifyRoute, async (c) => await answerOne(c, await parseImageRequest(c, classifyOptions))],
    [classifyJsonRoute, async (c) => await answerOne(c, await parseImageJson(c, classifyOptions))],
    [classifyFormRoute, async (c) => await answerForm(c, await parseImageForm(c, classifyOptions))],
  ] as const satisfies [Parameters<typeof mount>[1], (c: Context<HonoEnv>) => Promise<Response>][];
  for (const [route, answer] of declarations) {
    mount(app, route, async (c) => {
      preloadModel(c);
      return await answer(c);
    });
  }
  return app;
}

async function answerOne(
  c: Context<HonoEnv>,
  request: ImageRequest<ClassifyRequestOptions>,
): Promise<Response> {
  await c.get('timing').lap('receive');
  const { bytes } = request.image;
  const [manifest, ...others] = await readModels(c, request.model);
  c.header('cache-control', 'private, no-cache');
  if (others.length > 0) {
    const { classification } = await answerImageOfHeads(c, bytes, [manifest, ...others], request);
    writeServerTiming(c);
    return c.json({ id: c.get('requestId'), ...classification });
  }
  const name = await c.get('options').classifier.nameAnswer(bytes, manifest, request, toTenant(c));
  // A weak tag, because two answers to the same request differ in their request id.
  const etag = `W/"${name.slice(0, 32)}"`;
  c.header('etag', etag);
  // This POST changes nothing, so it answers like a GET (RFC 9110 says 412 for POST).
  if (listsTag(c.req.header('if-none-match'), etag)) {
    writeServerTiming(c);
    return c.body(null, 304);
  }
  const answer = await answerImage(c, bytes, manifest, request, name);
  c.header('cache-status', toCacheStatus[answer.origin]);
  writeServerTiming(c);
  return c.json({ id: c.get('requestId'), ...answer.classification });
}

async function answerForm(
  c: Context<HonoEnv>,
  request: ImageFormRequest<ClassifyRequestOptions>,
): Promise<Response> {
  await c.get('timing').lap('receive');
  const manifests = await readModels(c, request.model);
  const [manifest] = manifests;
  c.header('cache-control', 'private, no-cache');
  const results = await answerEach(c, request.images, async (bytes) => {
    const answer =
      manifests.length > 1
        ? answerImageOfHeads(c, bytes, manifests, request)
        : answerImage(c, bytes, manifest, request);
    const { model: _, model_version: __, ...known } = (await answer).classification;
    return known;
  });
  writeServerTiming(c);
  return c.json({
    id: c.get('requestId'),
    model: manifest.name,
    model_version: manifest.version,
    results,
  });
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
