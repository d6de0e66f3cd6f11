import { CodedError } from '../errors.ts';
import type { PreprocessSpec } from '../image/preprocess-spec.ts';
import type { FeatureLayers } from '../inference/session.ts';
import type { Fp32Tensor } from '../lib/tensor.ts';
import type { ModelManifest } from '../model/manifest.ts';
import type { SessionCache } from '../model/session-cache.ts';
import { type ClassifyChoice, defaultChoice } from './choice.ts';
import type { ImageInfo } from './classification.ts';
import { type ClassifyOptions, type Transcode, toModelInput } from './classify.ts';
import type { ClassifyContext } from './classify-context.ts';
import type { EmbedChoice, Embedding } from './embedding.ts';
import type { Gate } from './gate.ts';
import { readLearningViews } from './learning-views.ts';
import type { Networks } from './networks.ts';

export interface FeatureServices {
  readonly sessions: SessionCache;
  /** Has one place, because a decoder's memory is budgeted once. Inference needs no place, because it runs without a pause. */
  readonly decoding: Gate;
  /** The decoders of this deployment. */
  readonly image?: ClassifyOptions['image'];
  readonly transcode?: Transcode;
}

/** Computes features of images. It shares the classifier's gate for decoding. */
export class Features {
  readonly #services: FeatureServices;
  readonly #networks: Networks;

  constructor(services: FeatureServices, networks: Networks) {
    this.#services = services;
    this.#networks = networks;
  }

  /**
   * An image's features. Only this isolate gives them; the Node tier does not.
   *
   * @throws {CodedError} as `classify`; `embedding_unsupported` if the model's runtime gives no features.
   */
  async embed(
    bytes: Uint8Array,
    manifest: ModelManifest,
    choice: EmbedChoice,
    context: ClassifyContext,
  ): Promise<Embedding> {
    const run = await this.#open(manifest, choice.layers, context);
    const { image, input } = await this.#decode(bytes, manifest.preprocess, choice, context);
    const features = await run(input);
    await context.onStage?.('inference');
    return { image, features };
  }

  /**
   * The features of a photo that is learned from, see `readLearningViews`.
   *
   * @returns FP32 of length 1, one vector a view.
   * @throws {CodedError} as `embed`.
   */
  async embedViews(
    bytes: Uint8Array,
    manifest: ModelManifest,
    context: ClassifyContext,
  ): Promise<{ readonly image: ImageInfo; readonly vectors: readonly Float32Array[] }> {
    const run = await this.#open(manifest, 'all', context);
    let image: ImageInfo | undefined;
    const toInput = async (spec: PreprocessSpec) => {
      const decoded = await this.#decode(bytes, spec, defaultChoice, context);
      image = decoded.image;
      return decoded.input;
    };
    const vectors = await readLearningViews(manifest.preprocess, toInput, run);
    if (!image) throw new CodedError('inference_failed', 'The photo has no views.');
    return { image, vectors };
  }

  /**
   * Values of each block of a model's features, first block first.
   *
   * @throws {CodedError} as `embed`.
   */
  async measureBlocks(manifest: ModelManifest, context: ClassifyContext): Promise<readonly number[]> {
    const run = await this.#open(manifest, 'all', context);
    const side = manifest.preprocess.centerCrop;
    const data = new Float32Array(3 * side * side);
    return (await run({ datatype: 'FP32', shape: [1, 3, side, side], data })).map(({ length }) => length);
  }

  /** Starts loading the backbone. @returns gives the features of an input. */
  async #open(
    manifest: ModelManifest,
    layers: FeatureLayers,
    { keepAlive, onStage }: ClassifyContext,
  ): Promise<(input: Fp32Tensor) => Promise<readonly Float32Array[]>> {
    const { sessions } = this.#services;
    const backbone = await this.#networks.readBackbone(manifest);
    sessions.assertFits(backbone);
    sessions.preload(backbone, keepAlive);
    return async (input) =>
      await sessions.withSession(backbone, keepAlive, async (session) => {
        await onStage?.('model');
        if (session.runWithFeatures) return (await session.runWithFeatures(input, layers)).features;
        throw new CodedError('embedding_unsupported', `${backbone.name} does not run on the int8 engine.`);
      });
  }

  async #decode(
    bytes: Uint8Array,
    spec: PreprocessSpec,
    { orientation, decode, strict }: Pick<ClassifyChoice, 'orientation' | 'decode' | 'strict'>,
    { deadline, isCancelled, caller, onStage }: ClassifyContext,
  ) {
    const { decoding, image, transcode } = this.#services;
    return await toModelInput(bytes, spec, {
      image: { ...image, orientation, fast: decode === 'fast', strict },
      ...(transcode && { transcode }),
      admit: () => decoding.enter(1, { deadline, isCancelled, caller }),
      ...(onStage && { onStage }),
    });
  }
}
