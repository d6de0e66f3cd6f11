import type { ClassifyChoice } from '../../classify/choice.ts';
import type { ItemProblem } from '../../classify/classification.ts';
import type { Classifier } from '../../classify/classifier.ts';
import type { ClassifyContext } from '../../classify/classify-context.ts';
import { toVector } from '../../classify/embedding.ts';
import { CodedError } from '../../errors.ts';
import { encodeFloats } from '../../lib/base64.ts';
import { yieldToOthers } from '../../lib/yield-to-others.ts';
import { edgeItemWaitMs } from '../../limits.ts';
import type { CatalogReader } from '../../model/catalog-reader.ts';
import type { ModelManifest } from '../../model/manifest.ts';
import { toProblem } from '../../problem.ts';
import { type ChunkRunner, TierTrouble } from '../../tier/client/chunk-runner.ts';
import type { BatchItemResult } from './named-results.ts';

/** Classifies items in this Worker, one after the other. Deployments without a Node tier use it. */
export function createEdgeRunner(classifier: Classifier, catalog: Catalog): ChunkRunner {
  return createRunner(catalog, async (bytes, manifest, choice, context) => {
    const { classification } = await classifier.classify(bytes, manifest, choice, context);
    return classification;
  });
}

/** Embeds items in this Worker, because the Node tier gives no features. */
export function createEmbeddingRunner(
  classifier: Classifier,
  catalog: Catalog,
): ChunkRunner<BatchItemResult> {
  return createRunner(catalog, async (bytes, manifest, choice, context) => {
    const { image, features } = await classifier.features.embed(
      bytes,
      manifest,
      { ...choice, layers: 'last' },
      context,
    );
    const vector = toVector(features, true);
    return {
      model: manifest.name,
      model_version: manifest.version,
      tier: 'edge',
      image,
      dimensions: vector.length,
      embedding: encodeFloats(vector),
    };
  });
}

type Catalog = Pick<CatalogReader, 'readManifest'>;
type Work<Result> = (
  bytes: Uint8Array,
  manifest: ModelManifest,
  choice: ClassifyChoice,
  context: ClassifyContext,
) => Promise<Result>;

function createRunner<Result>(
  catalog: Catalog,
  work: Work<Result>,
): ChunkRunner<Result | { problem: ItemProblem }> {
  return {
    tier: 'edge',
    async *run({ model, modelVersion, ...choice }, _count, items) {
      const manifest = await catalog.readManifest(model, modelVersion).catch((error: unknown) => {
        throw toTrouble(error);
      });
      for await (const { index, bytes } of items) {
        yield { index, result: await runItem(bytes, manifest, choice, work) };
        await yieldToOthers();
      }
    },
  };
}

/** @throws {TierTrouble} if the item is not at fault: it waits until there is a model and memory again. */
async function runItem<Result>(
  bytes: Uint8Array,
  manifest: ModelManifest,
  choice: ClassifyChoice,
  work: Work<Result>,
): Promise<Result | { problem: ItemProblem }> {
  const context = {
    // The consumer awaits the work itself, and has no client that could go away.
    keepAlive: () => undefined,
    isCancelled: () => false,
    deadline: Date.now() + edgeItemWaitMs,
    // The batch stores its results.
    remembers: false,
  };
  try {
    return await work(bytes, manifest, choice, context);
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
