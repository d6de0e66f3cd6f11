import { Hono } from 'hono';
import { type Classification, type ClassifyModel, type ClassifyOptions, classify } from '../classify.ts';
import type { HonoEnv } from './context.ts';
import { type ImageInput, parseClassifyRequest } from './parse-classify-request.ts';
import { toProblem } from './problem.ts';
import { ServerTiming } from './server-timing.ts';

/** POST /v1/classify */
export function classifyRoutes(): Hono<HonoEnv> {
  return new Hono<HonoEnv>().post('/classify', async (c) => {
    const timing = new ServerTiming(c.get('services').serverTiming);
    const { catalog, sessions, image, transcode } = c.get('services');
    // The body may take a while to arrive: an isolate without the model loads it meanwhile.
    catalog
      .readManifest(c.req.query('model'))
      .then((expected) => sessions.preload(expected, c.get('keepAlive')))
      .catch(() => undefined);
    const request = await parseClassifyRequest(c.req.raw);
    await timing.lap('receive');

    const options: ClassifyOptions = {
      topK: request.topK,
      image: { ...image, orientation: request.orientation, fast: request.decode === 'fast' },
      ...(transcode && { transcode }),
      onStage: (stage) => timing.lap(stage),
    };
    const manifest = await catalog.readManifest(request.model);
    sessions.preload(manifest, c.get('keepAlive'));
    const labels = catalog.readLabels(manifest);
    labels.catch(() => undefined); // whoever awaits it hears of it
    const model: ClassifyModel = {
      manifest,
      labels,
      withSession: (use) => sessions.withSession(manifest, c.get('keepAlive'), use),
    };
    const answer = await answerImages(request.images, model, options);

    const header = timing.header();
    if (header) c.header('server-timing', header);
    c.header('cache-control', 'no-store');
    return c.json({
      id: c.get('requestId'),
      model: manifest.name,
      model_version: manifest.version,
      ...answer,
    });
  });
}

async function answerImages(images: readonly ImageInput[], model: ClassifyModel, options: ClassifyOptions) {
  const [first, ...others] = images;
  if (first && others.length === 0) return toWire(await classify(await first.readBytes(), model, options));
  return { results: await classifyEach(images, model, options) };
}

/** One after the other: a bad image gets its own problem and does not spoil the others. */
async function classifyEach(images: readonly ImageInput[], model: ClassifyModel, options: ClassifyOptions) {
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
