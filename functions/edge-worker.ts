import { toProblemResponse } from '../src/lib/problem-response.ts';
import { type BootGeneralRuntime, composeEdge, type EdgeEnv } from './compose-edge.ts';
import { consumeQueue } from './edge-batches.ts';

/**
 * The Worker but for the runtime that its entry point brings along.
 *
 * @param bootGeneralRuntime what runs graphs that the int8 engine does not; without it such a model is refused.
 */
export function createWorker(bootGeneralRuntime?: BootGeneralRuntime): ExportedHandler<EdgeEnv> {
  // Made once for an isolate, because sessions and manifests outlive a request.
  let edge: ReturnType<typeof composeEdge> | undefined;
  return {
    fetch(request, env, ctx) {
      try {
        edge ??= composeEdge(env, bootGeneralRuntime);
      } catch (error) {
        // A deployment whose variables are wrong says which one, at every path.
        return toProblemResponse(error, crypto.randomUUID());
      }
      return edge.app.fetch(request, env, ctx);
    },
    async queue(batch, env) {
      edge ??= composeEdge(env, bootGeneralRuntime);
      await consumeQueue(batch, edge.batches, edge.objects);
    },
    async scheduled(_controller, env) {
      edge ??= composeEdge(env, bootGeneralRuntime);
      await edge.batches?.sweep();
    },
  };
}
