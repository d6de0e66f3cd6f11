import { toProblemResponse } from '../src/http/problem.ts';
import type { InferenceRuntime } from '../src/inference/session.ts';
import { composeEdge, type Edge, type EdgeEnv } from './compose-edge.ts';
import { writeLog } from './write-log.ts';

/** What runs graphs that the int8 engine does not. */
export type BootGeneralRuntime = () => Promise<InferenceRuntime>;

/** The Worker but for the runtime that its entry point brings along. */
export function createWorker(bootGeneralRuntime: BootGeneralRuntime): ExportedHandler<EdgeEnv> {
  // Everything that outlives a request: one for each isolate.
  let edge: Edge | undefined;
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
    async queue({ queue, messages }, env) {
      edge ??= composeEdge(env, bootGeneralRuntime);
      const { batches } = edge;
      if (queue === 'resnet-edge-chunks') await batches?.consumeChunks(messages);
      else if (queue === 'resnet-edge-chunks-dead') await batches?.consumeDeadChunks(messages);
      else if (queue === 'resnet-edge-webhooks') await batches?.consumeDeliveries(messages);
      else writeLog('error', { event: 'queue_unknown', queue });
    },
    async scheduled(_controller, env) {
      edge ??= composeEdge(env, bootGeneralRuntime);
      await edge.batches?.sweep();
    },
  };
}
