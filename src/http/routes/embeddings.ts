import type { Context } from 'hono';
import { toVector } from '../../classify/embedding.ts';
import { encodeFloats } from '../../lib/base64.ts';
import type { ModelManifest } from '../../model/manifest.ts';
import { answerEach } from '../answer-each.ts';
import { preloadModel, readModel, recordImage } from '../answer-image.ts';
import type { HonoEnv } from '../context.ts';
import { type EmbedRequestOptions, embedOptions } from '../image-request/embed-options.ts';
import {
  type ImageFormRequest,
  type ImageRequest,
  parseImageForm,
  parseImageJson,
  parseImageRequest,
} from '../image-request/parse-image-request.ts';
import { needs } from '../middleware/access.ts';
import { createRouter, mount } from '../openapi.ts';
import { writeServerTiming } from '../write-server-timing.ts';
import { embedFormRoute, embedJsonRoute, embedRoute } from './embedding-declarations.ts';

/** Pictures in, vectors out. */
export function embeddingRoutes() {
  const app = createRouter();
  app.use('/v1/embeddings', needs('classify'));
  app.use('/v1/embeddings/*', needs('classify'));
  mount(app, embedRoute, async (c) => {
    preloadModel(c);
    return await answerOne(c, await parseImageRequest(c, embedOptions));
  });
  mount(app, embedJsonRoute, async (c) => {
    preloadModel(c);
    return await answerOne(c, await parseImageJson(c, embedOptions));
  });
  mount(app, embedFormRoute, async (c) => {
    preloadModel(c);
    return await answerForm(c, await parseImageForm(c, embedOptions));
  });
  return app;
}

async function answerOne(c: Context<HonoEnv>, request: ImageRequest<EmbedRequestOptions>): Promise<Response> {
  await c.get('timing').lap('receive');
  const manifest = await readModel(c, request.model);
  const embedded = await embed(c, request.image.bytes, manifest, request);
  writeServerTiming(c);
  return c.json({ id: c.get('requestId'), ...toModelFields(manifest), ...embedded });
}

async function answerForm(
  c: Context<HonoEnv>,
  request: ImageFormRequest<EmbedRequestOptions>,
): Promise<Response> {
  await c.get('timing').lap('receive');
  const manifest = await readModel(c, request.model);
  const results = await answerEach(c, request.images, (bytes) => embed(c, bytes, manifest, request));
  writeServerTiming(c);
  return c.json({ id: c.get('requestId'), ...toModelFields(manifest), results });
}

const toModelFields = ({ name, version }: ModelManifest) => ({ model: name, model_version: version });

/** @returns the members of an answer that are about one image. */
async function embed(
  c: Context<HonoEnv>,
  bytes: Uint8Array,
  manifest: ModelManifest,
  choice: EmbedRequestOptions,
): Promise<object> {
  const { classifier } = c.get('options');
  return await recordImage(c, bytes, manifest, async (context) => {
    const { image, features } = await classifier.features.embed(bytes, manifest, choice, context);
    const vector = toVector(features, choice.normalize);
    const embedding = choice.encoding === 'float' ? [...vector] : encodeFloats(vector);
    return { image, result: { image, dimensions: vector.length, embedding } };
  });
}
