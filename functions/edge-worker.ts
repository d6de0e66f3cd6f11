import { toProblemResponse } from '../src/lib/problem-response.ts';
import { type BootGeneralRuntime, composeEdge, type EdgeEnv } from './compose-edge.ts';
import { consumeQueue } from './edge-batches.ts';
import type { PhoneFormats } from './phone-formats.ts';

/**
 * The Worker but for the runtime that its entry point brings along.
 *
 * @param bootGeneralRuntime what runs graphs that the int8 engine does not; without it such a model is refused.
 * @param formats decoders of HEIC and AVIF; without them both are refused.
 */
export function createWorker(
  bootGeneralRuntime?: BootGeneralRuntime,
  formats?: PhoneFormats,
): ExportedHandler<EdgeEnv> {
  // Made once for an isolate, because sessions and manifests outlive a request.
  let edge: ReturnType<typeof composeEdge> | undefined;
  return {
    fetch(request, env, ctx) {
      try {
        edge ??= composeEdge(env, bootGeneralRuntime, formats);
      } catch (error) {
        // A deployment whose variables are wrong says which one, at every path.
        return toProblemResponse(error, crypto.randomUUID());
      }
      return edge.app.fetch(request, env, ctx);
    },
    async queue(batch, env) {
      edge ??= composeEdge(env, bootGeneralRuntime, formats);
      await consumeQueue(batch, edge);
    },
    async scheduled(_controller, env) {
      edge ??= composeEdge(env, bootGeneralRuntime, formats);
      await edge.batches?.sweep();
      await edge.classifiers?.sweep();
    },
  };
}
