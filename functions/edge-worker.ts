import { toProblemResponse } from '../src/lib/problem-response.ts';
import { composeEdge, type EdgeEnv } from './compose-edge.ts';
import { consumeQueue } from './edge-batches.ts';
import type { BootGeneralRuntime } from './edge-models.ts';
import type { PhoneFormats } from './phone-formats.ts';

/**
 * Makes the Worker. Its entry point brings the general runtime.
 *
 * @param bootGeneralRuntime boots the runtime for graphs that the int8 engine does not run. Without it they are refused.
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
        // If a variable is wrong, every path answers with its name.
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
