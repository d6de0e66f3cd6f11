import type { MiddlewareHandler } from 'hono';
import { drain } from '../../lib/net/drain.ts';
import type { HonoEnv } from '../context.ts';

/**
 * Reads the part of the body that no handler has read. Otherwise a client that is still sending sees a reset connection
 * instead of the answer. workerd also holds the answer back until the whole body has come.
 */
export const drainBody: MiddlewareHandler<HonoEnv> = async (c, next) => {
  await next();
  const { body, bodyUsed } = c.req.raw;
  if (body && !bodyUsed && !body.locked) await drain(body.getReader());
};
