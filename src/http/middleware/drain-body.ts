import type { MiddlewareHandler } from 'hono';
import { drain } from '../../lib/net/drain.ts';
import type { HonoEnv } from '../context.ts';

/**
 * Reads what no handler has read, whatever the answer is: a client that is still sending would see a reset connection
 * instead of it, and workerd keeps an answer back until the body of its request has come.
 */
export const drainBody: MiddlewareHandler<HonoEnv> = async (c, next) => {
  await next();
  const { body, bodyUsed } = c.req.raw;
  if (body && !bodyUsed && !body.locked) await drain(body.getReader());
};
