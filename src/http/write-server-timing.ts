import type { Context } from 'hono';
import type { HonoEnv } from './context.ts';

/** Adds the stages of a request to its answer, if the deployment tells them. */
export function writeServerTiming(c: Context<HonoEnv>): void {
  const header = c.get('timing').header();
  if (header) c.header('server-timing', header);
}
