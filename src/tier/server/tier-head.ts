import type { Scoring } from '../../classify/choice.ts';
import type { Prediction } from '../../classify/classification.ts';
import { classifyFeatures } from '../../classify/head-session.ts';
import { isUnknown } from '../../classify/is-unknown.ts';
import { CodedError } from '../../errors.ts';
import type { Head } from '../../model/head.ts';
import type { ClassLabel, ModelManifest } from '../../model/manifest.ts';
import type { Inference, TierModel, TierNetwork } from './tier-model.ts';

/** All heads have this name in metrics, because there is no limit to their number, and an id gives access to its classifier. */
const metricsName = 'head';

/** A head behind its backbone. All heads of a backbone share its features, so their images go into one batch. */
export class TierHead implements TierNetwork {
  readonly manifest: ModelManifest;
  readonly labels: readonly ClassLabel[];
  readonly label: { readonly model: string; readonly version: string };
  readonly #head: Head;
  readonly #backbone: TierModel;

  /** @param backbone loaded for its features. */
  constructor(manifest: ModelManifest, labels: readonly ClassLabel[], head: Head, backbone: TierModel) {
    this.manifest = manifest;
    this.labels = labels;
    this.label = { model: metricsName, version: backbone.manifest.name };
    this.#head = head;
    this.#backbone = backbone;
  }

  get provider(): string {
    return this.#backbone.provider;
  }

  get maxBatch(): number {
    return this.#backbone.maxBatch;
  }

  /** @throws {CodedError} `inference_failed`; `model_corrupt` if the head belongs to another backbone. */
  async infer(tensor: Float32Array): Promise<Inference> {
    const features = await this.#backbone.run(tensor);
    const { data, similarity } = classifyFeatures(this.#head, this.#toBlocks(features));
    return { output: data, similarity };
  }

  isUnknown(scoring: Scoring, predictions: readonly Prediction[], { similarity }: Inference): boolean {
    return predictions.length === 0 || isUnknown(this.#head, scoring, predictions, similarity);
  }

  /** Splits the features into blocks, and keeps the last blocks, which the head reads. */
  #toBlocks(features: Float32Array): Float32Array[] {
    let end = features.length;
    const blocks = this.#head.blocks.toReversed().map((size) => {
      end -= size;
      if (end < 0) throw new CodedError('model_corrupt', 'The head was made for another backbone.');
      return features.subarray(end, end + size);
    });
    return blocks.reverse();
  }
}
