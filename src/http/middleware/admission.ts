import type { MiddlewareHandler } from 'hono';
import { defaultWaitMs, maxWaitMs } from '../../limits.ts';
import type { HonoEnv } from '../context.ts';

const preferredWait = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,4})"?/i;

/**
 * Gives a request its deadline (`Prefer: wait=SECONDS`, RFC 7240), and the isolate's bytes when a body asks
 * for them. They are given back when the request ends, or when it was dropped, see Gate.
 */
export const admission: MiddlewareHandler<HonoEnv> = async (c, next) => {
  const { bodies } = c.get('options');
  const [, seconds] = preferredWait.exec(c.req.header('prefer') ?? '') ?? [];
  const waitMs = seconds === undefined ? defaultWaitMs : Math.min(Number(seconds) * 1000, maxWaitMs);
  const deadline = Date.now() + waitMs;
  const { signal } = c.req.raw;
  const isCancelled = () => signal?.aborted === true;
  let release = () => {};
  c.set('deadline', deadline);
  c.set('isCancelled', isCancelled);
  c.set('admitBytes', async (bytes) => {
    release(); // a request that waited for more while it holds some could wait for itself
    release = await bodies.enter(bytes, { deadline, isCancelled });
  });
  try {
    await next();
  } finally {
    release();
  }
  if (seconds !== undefined) c.res.headers.set('preference-applied', `wait=${waitMs / 1000}`);
};
