import type { Classifier } from '../src/classify/classifier.ts';
import { CodedError } from '../src/errors.ts';
import { createEdgeRunner, createEmbeddingRunner } from '../src/jobs/batch/edge-runner.ts';
import type { BatchItemResult } from '../src/jobs/batch/named-results.ts';
import type { SubmitServices } from '../src/jobs/batch/submit-batch.ts';
import type { CatalogReader } from '../src/model/catalog-reader.ts';
import type { ChunkRunner } from '../src/tier/client/chunk-runner.ts';
import { createNodeTierRunner, type NodeTierOptions } from '../src/tier/client/node-tier-runner.ts';

/** Runs images in the background. Batches and a bucket's objects share it. */
export interface EdgeRunners {
  readonly edge: ChunkRunner;
  /** Given if a Node tier is configured. */
  readonly node: ChunkRunner | undefined;
  /** Gives features. It always runs in this Worker. */
  readonly embedding: ChunkRunner<BatchItemResult>;
  /** @throws {CodedError} `model_requires_batch_tier`, `embedding_unsupported`, and what the catalogue throws. */
  readonly resolveModel: SubmitServices['resolveModel'];
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
    embedding: createEmbeddingRunner(classifier, catalog),
    async resolveModel(name, task = 'classify') {
      const manifest = await catalog.readManifest(name);
      const { name: model, version: modelVersion, tier, backbone, files } = manifest;
      if (task === 'embed') {
        if (backbone || (files.rni8 && tier === 'edge')) return { model, modelVersion, tier: 'edge' };
        throw new CodedError('embedding_unsupported', `${model} does not run on the int8 engine.`);
      }
      if (tier === 'node' && !nodeTier) {
        throw new CodedError(
          'model_requires_batch_tier',
          `${model} needs the Node tier, which is not configured.`,
        );
      }
      return { model, modelVersion, tier: nodeTier ? 'node' : 'edge' };
    },
  };
}
