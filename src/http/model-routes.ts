import { Hono } from 'hono';
import type { ModelManifest } from '../model/manifest.ts';
import type { HonoEnv } from './context.ts';

/** GET /v1/models, GET /v1/models/{name} */
export function modelRoutes(): Hono<HonoEnv> {
  return new Hono<HonoEnv>()
    .get('/models', async (c) => {
      const { defaultModel, versions } = await c.get('services').catalog.readCatalog();
      const models = Array.from(versions, ([name, version]) => ({
        name,
        version,
        default: name === defaultModel,
      }));
      return c.json({ models });
    })
    .get('/models/:name', async (c) => {
      const { catalog, sessions } = c.get('services');
      const manifest = await catalog.readManifest(c.req.param('name'));
      const loaded = sessions.loadedModels().includes(`${manifest.name}/${manifest.version}`);
      return c.json({ ...toWire(manifest), loaded });
    });
}

function toWire(manifest: ModelManifest) {
  const { preprocess } = manifest;
  return {
    name: manifest.name,
    version: manifest.version,
    description: manifest.description,
    format: manifest.format,
    runtime: manifest.runtime,
    datatype: manifest.datatype,
    bytes: manifest.model.bytes,
    sha256: manifest.model.sha256,
    input: { name: manifest.input.name, shape: manifest.input.shape, datatype: 'FP32' },
    output: manifest.output,
    preprocess: {
      resize_shortest_edge: preprocess.resizeShortestEdge,
      interpolation: preprocess.interpolation,
      center_crop: preprocess.centerCrop,
      rescale_factor: preprocess.rescaleFactor,
      mean: preprocess.mean,
      std: preprocess.std,
    },
    source: manifest.source,
    licence: manifest.licence,
    accuracy: manifest.accuracy,
    tier: manifest.tier,
  };
}
