import { CodedError } from '../errors.ts';
import { digestHex } from '../lib/digest.ts';
import type { ModelManifest } from '../model/manifest.ts';
import type { KeepAlive } from '../model/session-cache.ts';
import type { ModelInput } from '../protocol/open-inference/model-inputs.ts';
import type { AnswerStore } from './answers/answer-store.ts';
import { SingleFlight } from './answers/single-flight.ts';
import type { ClassifyChoice } from './choice.ts';
import type { Classification } from './classification.ts';
import { classify, toModelInput } from './classify.ts';
import type { ClassifyContext } from './classify-context.ts';
import { classifyHeads } from './classify-heads.ts';
import { toVector } from './embedding.ts';
import { type FeatureServices, Features } from './features.ts';
import { type Delegation, runHereOrThere } from './here-or-there.ts';
import { type NetworkServices, Networks } from './networks.ts';

export interface ClassifierServices extends Delegation, NetworkServices, FeatureServices {
  /** Remembered answers. Without a store each image is computed. */
  readonly answers?: AnswerStore;
  /** Called for failures that do no harm, such as an answer store that fails. */
  readonly onWarning?: (event: string, error: unknown) => void;
}

/** Where an answer came from: computed, remembered, or computed for another request at the same time. */
export type AnswerOrigin = 'miss' | 'hit' | 'shared' | 'bypass';

export interface Answer {
  readonly classification: Classification;
  readonly origin: AnswerOrigin;
}

/** What a model gives for one row of a tensor request. */
export interface InferredRow {
  readonly output: Float32Array;
  readonly embedding: Float32Array | undefined;
}

/**
 * Classifies on this isolate. It decodes one image at a time, runs identical requests once, and remembers answers by
 * content. It gives images and models that are too large to the delegate. Everything on the edge classifies here: HTTP
 * with its dialects, batches, webhooks and a bucket's objects.
 */
export class Classifier {
  readonly #services: ClassifierServices;
  readonly #networks: Networks;
  readonly features: Features;
  readonly #flights = new SingleFlight<Answer>();

  constructor(services: ClassifierServices) {
    this.#services = services;
    this.#networks = new Networks(services);
    this.features = new Features(services, this.#networks);
  }

  /**
   * @param tenant who asks.
   * @returns a name for the answer: it is the same if and only if bytes, model version, choices and tenant are.
   */
  async nameAnswer(
    bytes: Uint8Array,
    manifest: ModelManifest,
    choice: ClassifyChoice,
    tenant = '',
  ): Promise<string> {
    const image = await digestHex(bytes);
    const { topK, orientation, decode, scoring, strict } = choice;
    const transcodes = this.#services.transcode !== undefined;
    return await digestHex(
      JSON.stringify([
        image,
        manifest.name,
        manifest.version,
        topK,
        orientation,
        decode,
        scoring,
        strict,
        transcodes,
        tenant,
      ]),
    );
  }

  /**
   * @param name of `nameAnswer`, if the caller has it already.
   * @throws {CodedError} `image_*`, `model_*`, `inference_failed`, `overloaded`, `client_closed`,
   *   `batch_tier_unavailable`.
   */
  async classify(
    bytes: Uint8Array,
    manifest: ModelManifest,
    choice: ClassifyChoice,
    context: ClassifyContext,
    name?: string,
  ): Promise<Answer> {
    const answers = context.remembers === false ? undefined : this.#services.answers;
    const key = name ?? (await this.nameAnswer(bytes, manifest, choice, context.tenant));
    const { value, shared } = await this.#flights.join(answers ? key : `${key} anew`, context, {
      run: async (isAbandoned) => {
        const known = answers && (await this.#recall(answers, key));
        if (known) return { classification: known, origin: 'hit' };
        const classification = await runHereOrThere(
          this.#services,
          () => this.#compute(bytes, manifest, choice, context, isAbandoned),
          (delegate) => delegate.classify(bytes, manifest, choice, context.deadline),
        );
        return { classification, origin: answers ? 'miss' : 'bypass' };
      },
      keep: async ({ classification, origin }) => {
        if (origin === 'miss') await answers?.put(key, classification).catch((error) => this.#warn(error));
      },
    });
    return shared && value.origin !== 'hit' ? { ...value, origin: 'shared' } : value;
  }

  /**
   * @see classifyHeads
   * @throws {CodedError} `model_manifest_invalid` where heads are not served; what `classifyHeads` throws.
   */
  async classifyHeads(
    bytes: Uint8Array,
    manifests: readonly ModelManifest[],
    choice: ClassifyChoice,
    context: ClassifyContext,
  ): Promise<Answer> {
    const { heads, catalog } = this.#services;
    if (!heads) throw new CodedError('model_manifest_invalid', 'This deployment serves no heads.');
    const services = { features: this.features, heads, catalog };
    return {
      classification: await classifyHeads(bytes, manifests, choice, context, services),
      origin: 'bypass',
    };
  }

  /**
   * One row of a tensor request: an image file, or a tensor that is ready for the model.
   *
   * @param wants whether the embedding is wanted too; only this isolate gives it, not the Node tier.
   * @returns the model's output as it is, length = output.classes; the last block's features, of length 1, if wanted.
   * @throws {CodedError} as `classify`; `embedding_unsupported`.
   */
  async infer(
    input: ModelInput,
    manifest: ModelManifest,
    context: ClassifyContext,
    wants: { readonly embedding: boolean } = { embedding: false },
  ): Promise<InferredRow> {
    if (wants.embedding) return await this.#inferHere(input, manifest, context, true);
    return await runHereOrThere<InferredRow>(
      this.#services,
      () => this.#inferHere(input, manifest, context, false),
      async (delegate) => ({
        output: await delegate.infer(input, manifest, context.deadline),
        embedding: undefined,
      }),
    );
  }

  /**
   * Loads a model on the tier where it will run.
   *
   * @throws {CodedError} `model_*`, `batch_tier_unavailable`.
   */
  async warm(
    manifest: ModelManifest,
    { keepAlive, deadline }: Pick<ClassifyContext, 'keepAlive' | 'deadline'>,
  ): Promise<void> {
    await runHereOrThere(
      { delegate: this.#services.delegate },
      async () => await this.#services.sessions.warm(await this.#networks.readBackbone(manifest), keepAlive),
      (delegate) => delegate.assertReady(manifest, deadline),
    );
  }

  async #inferHere(
    input: ModelInput,
    manifest: ModelManifest,
    { deadline, isCancelled, caller, keepAlive }: ClassifyContext,
    wantsEmbedding: boolean,
  ): Promise<InferredRow> {
    const { image, transcode, decoding } = this.#services;
    const withSession = await this.#networks.prepare(manifest, keepAlive);
    const tensor =
      input.kind === 'tensor'
        ? input.tensor
        : (
            await toModelInput(input.bytes, manifest.preprocess, {
              ...(image && { image }),
              ...(transcode && { transcode }),
              admit: () => decoding.enter(1, { deadline, isCancelled, caller }),
            })
          ).input;
    return await withSession(async (session) => {
      if (!wantsEmbedding) return { output: (await session.run(tensor)).data, embedding: undefined };
      if (!session.runWithFeatures) {
        throw new CodedError('embedding_unsupported', `${manifest.name} does not run on the int8 engine.`);
      }
      const { output, features } = await session.runWithFeatures(tensor, 'last');
      return { output: output.data, embedding: toVector(features, true) };
    });
  }

  async #compute(
    bytes: Uint8Array,
    manifest: ModelManifest,
    choice: ClassifyChoice,
    { keepAlive, deadline, caller, onStage }: ClassifyContext,
    isAbandoned: () => boolean,
  ): Promise<Classification> {
    const { catalog, decoding, image, transcode } = this.#services;
    // Before decoding: if the model never runs here, the image need not be decoded.
    const withSession = await this.#networks.prepare(manifest, keepAlive);
    const labels = catalog.readLabels(manifest);
    labels.catch(() => undefined); // Awaited later: a rejection before that is not unhandled.
    const {
      image: info,
      predictions,
      similarity,
    } = await classify(
      bytes,
      { manifest, labels, withSession },
      {
        topK: choice.topK,
        scoring: choice.scoring,
        image: {
          ...image,
          orientation: choice.orientation,
          fast: choice.decode === 'fast',
          strict: choice.strict,
        },
        ...(transcode && { transcode }),
        admit: () => decoding.enter(1, { deadline, isCancelled: isAbandoned, caller }),
        async onStage(stage) {
          await onStage?.(stage);
          if (isAbandoned()) throw new CodedError('client_closed', 'The client went away.');
        },
      },
    );
    const { name, version } = manifest;
    const isUnknown = await this.#networks.isUnknown(manifest, choice.scoring, predictions, similarity);
    return {
      model: name,
      model_version: version,
      tier: 'edge',
      image: info,
      predictions,
      ...(isUnknown && ({ unknown: true } as const)),
    };
  }

  /** Starts loading what a model runs on. Never fails: the request that needs it gets the error. */
  preload(manifest: ModelManifest, keepAlive: KeepAlive): void {
    this.#networks.preload(manifest, keepAlive);
  }

  async #recall(answers: AnswerStore, key: string): Promise<Classification | undefined> {
    try {
      return await answers.get(key);
    } catch (error) {
      this.#warn(error);
      return undefined;
    }
  }

  #warn(error: unknown): void {
    this.#services.onWarning?.('answer_store_failed', error);
  }
}
