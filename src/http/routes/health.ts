import { createRoute } from '@hono/zod-openapi';
import { createRouter, modelCodes, problemResponses } from '../openapi.ts';
import { jsonContent } from '../schemas/content.ts';
import { liveSchema, readySchema } from '../schemas/health.ts';

const liveRoute = createRoute({
  method: 'get',
  path: '/v1/health/live',
  operationId: 'live',
  tags: ['service'],
  summary: '200 while the Worker runs',
  security: [],
  responses: {
    200: { description: 'It runs.', content: jsonContent(liveSchema) },
  },
});

const readyRoute = createRoute({
  method: 'get',
  path: '/v1/health/ready',
  operationId: 'ready',
  tags: ['service'],
  summary: '200 when the default model is loaded (it loads it), else 503',
  security: [],
  responses: {
    200: {
      description: 'The next photo gets an answer at full speed.',
      content: jsonContent(readySchema),
    },
    ...problemResponses(...modelCodes),
  },
});

/** Open to everybody: monitoring has no key, and nothing here is secret. */
export function healthRoutes() {
  const app = createRouter();
  app.openapi(liveRoute, (c) => c.json({ status: 'live' as const }, 200));
  app.openapi(readyRoute, async (c) => {
    const { access, catalog, classifier, sessions } = c.get('options');
    access.assertConfigured();
    // Ready means that the next photo gets an answer at full speed: the default model is loaded, and has
    // run once, since V8 compiles a WebAssembly function when it is first called.
    const manifest = await catalog.readManifest(undefined);
    await classifier.warm(manifest, { keepAlive: c.get('keepAlive'), deadline: c.get('deadline') });
    return c.json(
      {
        status: 'ready' as const,
        model: manifest.name,
        model_version: manifest.version,
        loaded_models: sessions.loadedModels(),
        runtimes: sessions.runtimes(),
        runtime_memory_bytes: sessions.memoryBytes(),
      },
      200,
    );
  });
  return app;
}
