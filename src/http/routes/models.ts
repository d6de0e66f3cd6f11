import { createRoute, z } from '@hono/zod-openapi';
import { fileKinds, type ModelManifest } from '../../model/manifest.ts';
import { needs } from '../middleware/access.ts';
import { createRouter, problemResponses } from '../openapi.ts';
import { jsonContent } from '../schemas/content.ts';
import { modelCardSchema, modelListSchema } from '../schemas/model-card.ts';

const storeCodes = ['model_unavailable', 'model_manifest_invalid'] as const;

const listModelsRoute = createRoute({
  method: 'get',
  path: '/v1/models',
  operationId: 'listModels',
  tags: ['models'],
  summary: 'Names, current versions, the default',
  responses: {
    200: {
      description: 'Every model that may be asked for.',
      content: jsonContent(modelListSchema),
    },
    ...problemResponses(...storeCodes),
  },
});

const readModelRoute = createRoute({
  method: 'get',
  path: '/v1/models/{name}',
  operationId: 'readModel',
  tags: ['models'],
  summary: 'Input, preprocessing, accuracy, licence of a model',
  request: { params: z.object({ name: z.string().openapi({ example: 'resnet18-imagenet1k' }) }) },
  responses: {
    200: { description: 'The manifest.', content: jsonContent(modelCardSchema) },
    ...problemResponses('model_unknown', ...storeCodes),
  },
});

export function modelRoutes() {
  const app = createRouter();
  app.use('/v1/models', needs('classify'));
  app.use('/v1/models/:name', needs('classify'));
  app.openapi(listModelsRoute, async (c) => {
    const { defaultModel, versions, aliases: pointed } = await c.get('options').catalog.readCatalog();
    const aliases = [...new Map([...(c.get('options').modelAliases ?? []), ...pointed])];
    const models = Array.from(versions, ([name, version]) => ({
      name,
      version,
      default: name === defaultModel,
      aliases: aliases.filter(([, model]) => model === name).map(([alias]) => alias),
    }));
    return c.json({ models }, 200);
  });
  app.openapi(readModelRoute, async (c) => {
    const { catalog, sessions } = c.get('options');
    const manifest = await catalog.readManifest(c.req.valid('param').name);
    const { name, version } = manifest.backbone ?? manifest;
    const loaded = sessions.loadedModels().includes(`${name}/${version}`);
    return c.json({ ...toWire(manifest), loaded }, 200);
  });
  return app;
}

function toWire(manifest: ModelManifest) {
  const { preprocess, description } = manifest;
  return {
    name: manifest.name,
    version: manifest.version,
    ...(description === undefined ? {} : { description }),
    files: fileKinds.flatMap((kind) => {
      const file = manifest.files[kind];
      return file ? [{ kind, bytes: file.bytes, sha256: file.sha256 }] : [];
    }),
    runtime: manifest.runtime,
    datatype: manifest.datatype,
    input: { name: manifest.input.name, shape: [...manifest.input.shape], datatype: 'FP32' as const },
    output: manifest.output,
    preprocess: {
      resize_shortest_edge: preprocess.resizeShortestEdge,
      interpolation: preprocess.interpolation,
      resize_by: preprocess.resizeBy ?? ('ratio' as const),
      center_crop: preprocess.centerCrop,
      crop_rounding: preprocess.cropRounding ?? ('half-even' as const),
      rescale_factor: preprocess.rescaleFactor,
      channel_order: preprocess.channelOrder ?? ('rgb' as const),
      mean: [...preprocess.mean],
      std: [...preprocess.std],
    },
    ...(manifest.backbone && { backbone: { ...manifest.backbone } }),
    source: manifest.source,
    licence: manifest.licence,
    accuracy: manifest.accuracy.map(({ command, ...figures }) =>
      command === undefined ? figures : { ...figures, command },
    ),
    tier: manifest.tier,
  };
}
