import { createRoute, z } from '@hono/zod-openapi';
import { needs } from '../middleware/access.ts';
import { createRouter, problemResponses } from '../openapi.ts';

const metricsRoute = createRoute({
  method: 'get',
  path: '/metrics',
  operationId: 'metrics',
  tags: ['service'],
  summary: 'Counters of the isolate that answers, in Prometheus’ text format',
  responses: {
    200: { description: 'Version 0.0.4.', content: { 'text/plain': { schema: z.string() } } },
    ...problemResponses(),
  },
});

export function metricsRoutes() {
  const app = createRouter();
  app.use('/metrics', needs('admin'));
  app.openapi(metricsRoute, (c) => {
    const { metrics, sessions, bodies } = c.get('options');
    const { used, waiting } = bodies.state();
    const text = metrics.format([
      { name: 'resnet_edge_runtime_memory_bytes', value: sessions.memoryBytes() },
      { name: 'resnet_edge_body_bytes_in_flight', value: used },
      { name: 'resnet_edge_requests_waiting', value: waiting },
      ...sessions.runtimes().map(({ name, kernels = '' }) => ({
        name: 'resnet_edge_runtime_info' as const,
        labels: { runtime: name, kernels },
        value: 1,
      })),
    ]);
    return c.text(text, 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
  });
  return app;
}
