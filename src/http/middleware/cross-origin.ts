import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import type { HonoEnv } from '../context.ts';

/** In the list of origins: every port of this machine, as a page under development has it. */
export const loopbackOrigins = 'loopback';

/** Headers a page of another origin may read. */
const exposedHeaders = [
  'x-request-id',
  'x-model-version',
  'server-timing',
  'etag',
  'cache-status',
  'retry-after',
  'location',
  'idempotency-replayed',
  'x-batch-status',
  'x-total-count',
  'ratelimit',
  'ratelimit-policy',
];

export const loopbackHost = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/**
 * Lets pages of other origins call every route, preflight included (Fetch, 3.2). A key is sent in a header that a page
 * has to know, never in a cookie, so an allowed origin gets no more than what its page brings along. Any request header
 * may be sent: the official SDKs of other services have their own.
 *
 * @param origins `https://shop.example`, several; `loopback`; `*` for all.
 */
export function crossOrigin(origins: readonly string[]): MiddlewareHandler<HonoEnv> {
  const isAllowed = (origin: string) =>
    origins.includes(origin) || (origins.includes(loopbackOrigins) && isLoopback(origin));
  return cors({
    origin: origins.includes('*') ? '*' : (origin) => (isAllowed(origin) ? origin : null),
    allowMethods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'],
    exposeHeaders: exposedHeaders,
    maxAge: 600,
  });
}

function isLoopback(origin: string): boolean {
  return URL.canParse(origin) && loopbackHost.test(new URL(origin).hostname);
}
