import { methodNotAllowed } from 'hono/method-not-allowed';
import { requestId } from 'hono/request-id';
import { secureHeaders } from 'hono/secure-headers';
import { CodedError } from '../errors.ts';
import { toProblemResponse } from '../lib/problem-response.ts';
import { toOpenError } from '../protocol/open-inference/metadata.ts';
import { answerError } from './answer-error.ts';
import { type AppOptions, keepAlive } from './context.ts';
import { huggingFaceRoutes } from './dialects/hugging-face.ts';
import { openInferenceRoutes } from './dialects/open-inference.ts';
import { workersAiRoutes } from './dialects/workers-ai.ts';
import { admission } from './middleware/admission.ts';
import { crossOrigin } from './middleware/cross-origin.ts';
import { drainBody } from './middleware/drain-body.ts';
import { loopbackOnly } from './middleware/loopback-only.ts';
import { observe } from './middleware/observe.ts';
import { createRouter } from './openapi.ts';
import { batchRoutes } from './routes/batches.ts';
import { classifierRoutes } from './routes/classifiers.ts';
import { classifyRoutes } from './routes/classify.ts';
import { embeddingRoutes } from './routes/embeddings.ts';
import { healthRoutes } from './routes/health.ts';
import { metricsRoutes } from './routes/metrics.ts';
import { modelRoutes } from './routes/models.ts';
import { objectRoutes } from './routes/objects.ts';
import { pageRoutes } from './routes/pages.ts';
import { uploadTokenRoutes } from './routes/upload-tokens.ts';
import { webhookEndpointRoutes } from './routes/webhook-endpoints.ts';
import { webhookRoutes } from './routes/webhooks.ts';
import { ServerTiming } from './server-timing.ts';

/**
 * The HTTP API, ready to serve or to be mounted in another Worker: `other.route('/', createApp(options))`.
 * Everything it needs from the platform comes in as options.
 */
export function createApp(options: AppOptions) {
  const app = createRouter();
  app.use(requestId({ limitLength: 64 }));
  app.use(async (c, next) => {
    c.set('options', options);
    c.set('keepAlive', keepAlive(c));
    c.set('timing', new ServerTiming(options.serverTiming));
    await next();
  });
  app.use(observe);
  app.use(drainBody);
  if (options.loopbackOnly) app.use(loopbackOnly);
  app.use(secureHeaders({ crossOriginResourcePolicy: 'cross-origin', xFrameOptions: 'DENY' }));
  const { corsOrigins = [] } = options;
  if (corsOrigins.length > 0) app.use(crossOrigin(corsOrigins));
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed(c, methods) {
        const allow = methods.join(', ');
        const error = new CodedError('method_not_allowed', `${c.req.path} takes ${allow}.`);
        c.get('record').outcome = error.code;
        const response = toProblemResponse(error, c.get('requestId'), extendProblem(c.req.path, error));
        response.headers.set('allow', allow);
        return response;
      },
    }),
  );
  app.use(admission);

  const api = [
    classifyRoutes(),
    embeddingRoutes(),
    classifierRoutes(),
    modelRoutes(),
    healthRoutes(),
    uploadTokenRoutes(),
    metricsRoutes(),
    workersAiRoutes(),
    huggingFaceRoutes(),
    openInferenceRoutes(),
    batchRoutes(),
    webhookRoutes(),
    webhookEndpointRoutes(),
    objectRoutes(),
  ];
  for (const routes of api) app.route('/', routes);
  app.openAPIRegistry.registerComponent('securitySchemes', 'apiKey', {
    type: 'apiKey',
    in: 'header',
    name: 'x-api-key',
  });
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' });
  app.route('/', pageRoutes(app));

  app.notFound((c) => {
    c.get('record').outcome = 'route_not_found';
    const error = new CodedError('route_not_found', 'There is nothing at this path.');
    return toProblemResponse(error, c.get('requestId'), extendProblem(c.req.path, error));
  });
  app.onError((error, c) => answerError(error, c));
  return app;
}

/** Adds `error` to every problem below /v2, because clients of the Open Inference Protocol read it. */
function extendProblem(path: string, { message }: CodedError): object {
  return path === '/v2' || path.startsWith('/v2/') ? toOpenError(message) : {};
}
