import { Hono } from 'hono';
import type { HonoEnv } from './context.ts';

/** GET /: where to go from here, for whoever opens the address in a browser. */
export function indexRoutes(): Hono<HonoEnv> {
  return new Hono<HonoEnv>().get('/', (c) =>
    c.json({
      service: 'resnet-edge',
      endpoints: [
        'POST /v1/classify',
        'GET /v1/models',
        'GET /v1/models/{name}',
        'GET /v1/health/live',
        'GET /v1/health/ready',
      ],
    }),
  );
}
