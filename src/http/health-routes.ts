import { Hono } from 'hono';
import type { HonoEnv } from './context.ts';

/** GET /v1/health/live, GET /v1/health/ready */
export function healthRoutes(): Hono<HonoEnv> {
  return new Hono<HonoEnv>()
    .get('/health/live', (c) => c.json({ status: 'live' }))
    .get('/health/ready', async (c) => {
      // Ready means that the next photo gets an answer at full speed: the default model is loaded, and has
      // run once, since V8 compiles a WebAssembly function when it is first called.
      const { catalog, sessions } = c.get('services');
      const manifest = await catalog.readManifest(undefined);
      await sessions.warm(manifest, c.get('keepAlive'));
      return c.json({
        status: 'ready',
        model: manifest.name,
        model_version: manifest.version,
        loaded_models: sessions.loadedModels(),
        runtimes: sessions.runtimes(),
        runtime_memory_bytes: sessions.memoryBytes(),
      });
    });
}
