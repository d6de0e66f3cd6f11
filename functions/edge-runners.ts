import type { Classifier } from '../src/classify/classifier.ts';
import { CodedError } from '../src/errors.ts';
import { createEdgeRunner } from '../src/jobs/batch/edge-runner.ts';
import type { BatchModel } from '../src/jobs/batch/submit-batch.ts';
import type { CatalogReader } from '../src/model/catalog-reader.ts';
import type { ChunkRunner } from '../src/tier/client/chunk-runner.ts';
import { createNodeTierRunner, type NodeTierOptions } from '../src/tier/client/node-tier-runner.ts';

/** What runs images that nobody waits for: batches and a bucket's objects share it. */
export interface EdgeRunners {
  readonly edge: ChunkRunner;
  /** Where a Node tier is configured. */
  readonly node: ChunkRunner | undefined;
  /** @throws {CodedError} `model_requires_batch_tier`, and what the catalogue throws. */
  readonly resolveModel: (name: string | undefined) => Promise<BatchModel>;
}

interface RunnerParts {
  readonly nodeTier: NodeTierOptions | undefined;
  readonly catalog: CatalogReader;
  readonly classifier: Classifier;
}

export function composeRunners({ nodeTier, catalog, classifier }: RunnerParts): EdgeRunners {
  return {
    edge: createEdgeRunner(classifier, catalog),
    node: nodeTier && createNodeTierRunner(nodeTier),
    async resolveModel(name) {
      const { name: model, version: modelVersion, tier, backbone } = await catalog.readManifest(name);
      if (tier === 'node' && !nodeTier) {
        throw new CodedError(
          'model_requires_batch_tier',
          `${model} needs the Node tier, which is not configured.`,
        );
      }
      // The Node tier gives no features, so a head runs where its backbone's engine is.
      return { model, modelVersion, tier: nodeTier && !backbone ? 'node' : 'edge' };
    },
  };
}
