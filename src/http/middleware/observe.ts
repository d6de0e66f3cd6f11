import type { MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import { continueTrace, toTraceHeaders } from '../../lib/observe/trace-context.ts';
import type { HonoEnv } from '../context.ts';

/**
 * Writes one log line, one set of metrics and one data point for each request, also for one that fails, and continues
 * the caller's trace. The line says who asked what and how long it took. It has labels only if `logAnswers` is set.
 */
export const observe: MiddlewareHandler<HonoEnv> = async (c, next) => {
  const { log, logAnswers, metrics, onRequest } = c.get('options');
  const startedAt = Date.now();
  const trace = continueTrace(c.req.raw.headers);
  c.set('trace', trace);
  c.set('record', {
    requestId: c.get('requestId'),
    traceId: trace.traceId,
    method: c.req.method,
    route: '',
    status: 0,
    outcome: 'ok',
    durationMs: 0,
  });
  await next();

  const record = c.get('record');
  // The last matching route is the handler's, because middleware matches every path.
  record.route = routePath(c, -1);
  record.status = c.res.status;
  record.durationMs = Date.now() - startedAt;
  for (const [name, value] of Object.entries(toTraceHeaders(trace))) c.res.headers.set(name, value);
  const { route, outcome } = record;
  metrics.add('resnet_edge_requests_total', { route, status: String(record.status), outcome });
  metrics.observe('resnet_edge_request_duration_seconds', { route }, record.durationMs / 1000);
  log('info', {
    event: 'request',
    request_id: record.requestId,
    trace_id: record.traceId,
    method: record.method,
    route,
    status: record.status,
    outcome,
    duration_ms: record.durationMs,
    principal: record.principal,
    model: record.model,
    images: record.images,
    image_bytes: record.imageBytes,
    image_pixels: record.imagePixels,
    answer: record.answerOrigin,
    tier: record.tier,
    server_timing: c.res.headers.get('server-timing') ?? undefined,
    ...(logAnswers && { path: c.req.path, labels: record.labels }),
  });
  onRequest?.(record);
};
