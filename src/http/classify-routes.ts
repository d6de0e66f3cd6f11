import { type Context, Hono } from 'hono';
import { type Classification, type ClassifyOptions, classify, type LoadedModel } from '../classify.ts';
import type { HonoEnv } from './context.ts';
import { type ClassifyRequest, parseClassifyRequest } from './parse-classify-request.ts';
import { toProblem } from './problem.ts';
import { ServerTiming } from './server-timing.ts';

/** POST /v1/classify */
export function classifyRoutes(): Hono<HonoEnv> {
  return new Hono<HonoEnv>().post('/classify', async (c) => {
    const timing = new ServerTiming(c.get('services').serverTiming);
    const request = await parseClassifyRequest(c.req.raw);
    await timing.lap('receive');
    const model = await loadModel(c, request.model);
    await timing.lap('model');

    const { image, transcode } = c.get('services');
    const options: ClassifyOptions = {
      topK: request.topK,
      image: { ...image, orientation: request.orientation, fast: request.decode === 'fast' },
      ...(transcode && { transcode }),
      onStage: (stage) => timing.lap(stage),
    };
    const answer = {
      id: c.get('requestId'),
      model: model.manifest.name,
      model_version: model.manifest.version,
      ...(request.images.length === 1
        ? toWire(await classify(await request.images[0]!.readBytes(), model, options))
        : { results: await classifyEach(request.images, model, options) }),
    };
    const header = timing.header();
    if (header) c.header('server-timing', header);
    c.header('cache-control', 'no-store');
    return c.json(answer);
  });
}

async function loadModel(c: Context<HonoEnv>, name: string | undefined): Promise<LoadedModel> {
  const { catalog, sessions } = c.get('services');
  const manifest = await catalog.readManifest(name);
  const [session, labels] = await Promise.all([
    sessions.getSession(manifest, c.get('keepAlive')),
    catalog.readLabels(manifest),
  ]);
  return { manifest, session, labels };
}

/** One after the other: a bad image gets its own problem and does not spoil the others. */
async function classifyEach(images: ClassifyRequest['images'], model: LoadedModel, options: ClassifyOptions) {
  const results: unknown[] = [];
  for (const [index, { name, readBytes }] of images.entries()) {
    try {
      results.push({ index, name, ...toWire(await classify(await readBytes(), model, options)) });
    } catch (error) {
      results.push({ index, name, problem: toProblem(error) });
    }
  }
  return results;
}

function toWire({ image, predictions }: Classification) {
  return {
    image: {
      format: image.format,
      width: image.width,
      height: image.height,
      ...(image.approximate ? { approximate: true } : {}),
    },
    predictions: predictions.map(({ classIndex, wnid, label, score }) => ({
      class_index: classIndex,
      wnid,
      label,
      score,
    })),
  };
}
