import type { MiddlewareHandler } from 'hono';
import { defaultWaitMs, maxWaitMs, minWaitMs } from '../../limits.ts';
import type { HeldBody } from '../body-budget.ts';
import type { HonoEnv } from '../context.ts';
import { toKnownCaller } from './access.ts';

const preferredWait = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,4})"?/i;

/**
 * Gives a request its deadline (`Prefer: wait=SECONDS`, RFC 7240), and its body bytes of the isolate's budget. The bytes
 * are given back when the request ends or is dropped, see BodyBudget.
 */
export const admission: MiddlewareHandler<HonoEnv> = async (c, next) => {
  const { bodies } = c.get('options');
  const [, seconds] = preferredWait.exec(c.req.header('prefer') ?? '') ?? [];
  const waitMs =
    seconds === undefined ? defaultWaitMs : Math.min(Math.max(Number(seconds) * 1000, minWaitMs), maxWaitMs);
  const deadline = Date.now() + waitMs;
  const { signal } = c.req.raw;
  const isCancelled = () => signal?.aborted === true;
  let held: HeldBody | undefined;
  c.set('deadline', deadline);
  c.set('isCancelled', isCancelled);
  c.set('openBody', (max, expected, until = deadline) => {
    held?.release(); // otherwise a request that holds bytes and waits for more could wait for itself
    const caller = toKnownCaller(c);
    held = bodies.open(max, { deadline: until, isCancelled, caller }, expected);
    return held;
  });
  try {
    await next();
  } finally {
    held?.release();
  }
  if (seconds !== undefined) c.res.headers.set('preference-applied', `wait=${waitMs / 1000}`);
};
