import type { ClassifyChoice } from '../../classify/choice.ts';
import type { ItemResult } from '../../classify/classification.ts';
import type { Classifier } from '../../classify/classifier.ts';
import { CodedError } from '../../errors.ts';
import { yieldToOthers } from '../../lib/yield-to-others.ts';
import { edgeItemWaitMs } from '../../limits.ts';
import type { CatalogReader } from '../../model/catalog-reader.ts';
import type { ModelManifest } from '../../model/manifest.ts';
import { toProblem } from '../../problem.ts';
import { type ChunkRunner, TierTrouble } from '../../tier/client/chunk-runner.ts';

/** Runs items in this Worker, one after the other: the way of deployments without a Node tier. */
export function createEdgeRunner(
  classifier: Classifier,
  catalog: Pick<CatalogReader, 'readManifest'>,
): ChunkRunner {
  return {
    tier: 'edge',
    async *run({ model, modelVersion, ...choice }, _count, items) {
      const manifest = await catalog.readManifest(model, modelVersion).catch((error: unknown) => {
        throw toTrouble(error);
      });
      for await (const { index, bytes } of items) {
        yield { index, result: await classifyItem(bytes, manifest, choice, classifier) };
        await yieldToOthers();
      }
    },
  };
}

/** @throws {TierTrouble} for what says nothing against the item: it waits until there is a model and room again. */
async function classifyItem(
  bytes: Uint8Array,
  manifest: ModelManifest,
  choice: ClassifyChoice,
  classifier: Classifier,
): Promise<ItemResult> {
  const context = {
    // The consumer awaits the work itself, and no client of it can go away.
    keepAlive: () => undefined,
    isCancelled: () => false,
    deadline: Date.now() + edgeItemWaitMs,
    // The batch stores its results.
    remembers: false,
  };
  try {
    return (await classifier.classify(bytes, manifest, choice, context)).classification;
  } catch (error) {
    if (error instanceof CodedError && isTrouble(error)) throw toTrouble(error);
    return { problem: toProblem(error) };
  }
}

function isTrouble({ code }: CodedError): boolean {
  return code.startsWith('model_') || code === 'overloaded';
}

function toTrouble(error: unknown): TierTrouble {
  const code = error instanceof CodedError ? error.code : 'internal';
  const retryAfterSeconds = error instanceof CodedError ? error.retryAfterSeconds : undefined;
  return new TierTrouble(code, 'The item cannot be run here now.', {
    cause: error,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  });
}
