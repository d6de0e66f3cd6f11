import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import type { HonoEnv } from '../context.ts';

/** In the list of origins it stands for every port of this machine, where pages under development run. */
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
 * Lets pages of other origins call every route, preflight included (Fetch, 3.2). A page must know a key to send it in a
 * header; the service uses no cookies. So an allowed origin gains nothing beyond its own key. Any request header may be
 * sent, because the official SDKs of other services have headers of their own.
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
