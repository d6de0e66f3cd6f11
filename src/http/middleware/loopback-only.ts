import type { MiddlewareHandler } from 'hono';
import { CodedError } from '../../errors.ts';
import type { HonoEnv } from '../context.ts';
import { loopbackHost } from './cross-origin.ts';

const safeMethods: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];

/**
 * Protects a service on a developer's machine, which needs no key. A page elsewhere may let its own host name point here
 * (DNS rebinding), or send a form, which browsers allow without a preflight. Both are refused.
 */
export const loopbackOnly: MiddlewareHandler<HonoEnv> = async (c, next) => {
  const { hostname } = new URL(c.req.url);
  if (!loopbackHost.test(hostname)) {
    throw new CodedError(
      'host_forbidden',
      `This service answers to localhost and 127.0.0.1, not to ${hostname}.`,
    );
  }
  const origin = c.req.header('origin');
  const isElsewhere =
    origin !== undefined && !(URL.canParse(origin) && loopbackHost.test(new URL(origin).hostname));
  if (isElsewhere && !safeMethods.includes(c.req.method)) {
    throw new CodedError('host_forbidden', 'This service takes nothing from pages of other hosts.');
  }
  await next();
};
