/**
 * `resnet-edge/app`: the HTTP API as a Hono app, to be mounted in another Worker, whole or made of parts of one's own.
 *
 * @example
 * ```ts
 * const { app } = composeEdge(env);
 * const own = new Hono().route('/classifier', app);
 * ```
 */
export { CodedError, type ErrorCode } from '../../src/errors.ts';
export { createApp } from '../../src/http/app.ts';
export type { AppOptions } from '../../src/http/context.ts';
export { composeEdge, type EdgeEnv } from '../compose-edge.ts';
export type { PhoneFormats } from '../phone-formats.ts';
