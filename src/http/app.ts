import { Hono } from 'hono';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { requestId } from 'hono/request-id';
import { CodedError } from '../errors.ts';
import { batchRoutes } from './batch-routes.ts';
import { classifyRoutes } from './classify-routes.ts';
import { type AppServices, type HonoEnv, keepAlive } from './context.ts';
import { healthRoutes } from './health-routes.ts';
import { indexRoutes } from './index-routes.ts';
import { modelRoutes } from './model-routes.ts';
import { problemKinds, toProblem, toProblemResponse } from './problem.ts';
import { webhookRoutes } from './webhook-routes.ts';

/** The HTTP API. Everything it needs from the platform comes in as `services`. */
export function createApp(services: AppServices): Hono<HonoEnv> {
  const app = new Hono<HonoEnv>();
  app.use(requestId({ limitLength: 64 }));
  app.use(async (c, next) => {
    c.set('services', services);
    c.set('keepAlive', keepAlive(c));
    await next();
    c.res.headers.set('x-content-type-options', 'nosniff');
  });

  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed(c, methods) {
        const allow = methods.join(', ');
        const error = new CodedError('method_not_allowed', `${c.req.path} takes ${allow}.`);
        const response = toProblemResponse(error, c.get('requestId'));
        response.headers.set('allow', allow);
        return response;
      },
    }),
  );

  app.route('/', indexRoutes());
  app.route('/v1', classifyRoutes());
  app.route('/v1', modelRoutes());
  app.route('/v1', healthRoutes());
  if (services.batches) {
    app.route(
      '/v1',
      batchRoutes(services.batches, () => ''),
    );
    app.route('/v1', webhookRoutes(services.batches));
  }

  app.notFound((c) =>
    toProblemResponse(
      new CodedError('route_not_found', 'There is nothing at this path.'),
      c.get('requestId'),
    ),
  );
  app.onError((error, c) => {
    const { code } = toProblem(error);
    if (problemKinds[code].status >= 500)
      services.log('error', { code, request_id: c.get('requestId'), error });
    return toProblemResponse(error, c.get('requestId'));
  });
  return app;
}
