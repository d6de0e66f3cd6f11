import type { ClassifyChoice } from '../../classify/choice.ts';
import type { ItemResult } from '../../classify/classification.ts';
import { toPredictions } from '../../classify/classify.ts';
import { CodedError } from '../../errors.ts';
import { toProblem } from '../../problem.ts';
import type { DecodedImage, DecodeJob } from './decode-worker.ts';
import type { TierMetrics } from './tier-metrics.ts';
import type { TierNetwork } from './tier-model.ts';
import { WorkerPool } from './worker-pool.ts';

/** The largest image takes about 2 s; a job that takes this long is not going to end. */
const decodeTimeoutMs = 30_000;

export interface ClassifierOptions {
  readonly decodeWorkers: number;
  /** Images admitted and not answered. */
  readonly maxQueueItems: number;
  readonly metrics: TierMetrics;
}

/** Options for the images of a chunk. There is no `decode`, because a tier always decodes exactly. */
export type TierChoice = Omit<ClassifyChoice, 'decode'>;

/** Places in the tier's queue for the images of one request. */
export interface Admission {
  /** From now on the request holds `items` places, even if the queue is full. */
  hold(items: number): void;
  /** Gives all back; harmless when called again. */
  release(): void;
}

/** The use case on the tier: decode in one thread, infer in a batch with others in another. */
export class TierClassifier {
  readonly #decoders: WorkerPool<DecodedImage>;
  readonly #options: ClassifierOptions;
  #admitted = 0;
  /** Seconds an image took lately, for Retry-After. */
  #secondsPerImage = 0.02;
  #draining = false;

  constructor(options: ClassifierOptions) {
    this.#options = options;
    this.#decoders = new WorkerPool<DecodedImage>(new URL('./decode-worker.ts', import.meta.url), {
      size: options.decodeWorkers,
      depth: 1,
      timeoutMs: decodeTimeoutMs,
      onDeath: (reason, cause) =>
        new CodedError('image_too_complex', `The image could not be decoded: ${reason}.`, { cause }),
    });
  }

  /** Images that are decoded at once. Reading more would only fill memory. */
  get decodeWorkers(): number {
    return this.#options.decodeWorkers;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /**
   * Takes places for `items` images.
   *
   * @returns the places, which the caller must release.
   * @throws {CodedError} `tier_busy` with a time after which there may be places.
   */
  admit(items: number): Admission {
    if (this.#draining)
      throw new CodedError('tier_busy', 'The tier is shutting down.', { retryAfterSeconds: 5 });
    if (this.#admitted > 0 && this.#admitted + items > this.#options.maxQueueItems) {
      const retryAfterSeconds = Math.max(1, Math.ceil(this.#admitted * this.#secondsPerImage));
      throw new CodedError('tier_busy', `${this.#admitted} images are waiting already.`, {
        retryAfterSeconds,
      });
    }
    this.#count(items);
    let held = items;
    const holdItems = (wanted: number) => {
      this.#count(wanted - held);
      held = wanted;
    };
    return { hold: holdItems, release: () => holdItems(0) };
  }

  /**
   * @param signal aborted when the caller has gone: images that wait to be decoded are dropped.
   * @returns never throws: an image's failure is its result.
   */
  async classify(
    bytes: Uint8Array,
    model: TierNetwork,
    choice: TierChoice,
    signal?: AbortSignal,
  ): Promise<ItemResult> {
    const { metrics } = this.#options;
    const { name, version } = model.manifest;
    const { label } = model;
    const started = performance.now();
    try {
      const { image, tensor } = await this.decode(bytes, model, choice, signal);
      const inference = await model.infer(tensor);
      const predictions = toPredictions(inference.output, model.manifest, model.labels, choice);
      metrics.success.inc(label);
      const isUnknown = model.isUnknown(choice.scoring, predictions, inference);
      return {
        model: name,
        model_version: version,
        tier: 'node',
        image,
        predictions,
        ...(isUnknown && ({ unknown: true } as const)),
      };
    } catch (error) {
      metrics.failure.inc(label);
      return { problem: toProblem(error) };
    } finally {
      const seconds = (performance.now() - started) / 1000;
      this.#secondsPerImage += 0.05 * (seconds / Math.max(1, this.#admitted) - this.#secondsPerImage);
      metrics.requestUs.inc(label, Math.round(seconds * 1e6));
    }
  }

  /** @throws {CodedError} `image_*`; `client_closed` once `signal` says so. */
  async decode(
    bytes: Uint8Array,
    model: TierNetwork,
    { orientation, strict }: Pick<TierChoice, 'orientation' | 'strict'>,
    signal?: AbortSignal,
  ): Promise<DecodedImage> {
    const { preprocess: spec } = model.manifest;
    const { metrics } = this.#options;
    const { label } = model;
    // A copy, because sending a view to a thread sends its whole buffer: the body of the request, for each image in it.
    const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
    const started = performance.now();
    const job = { bytes: own, spec, orientation, strict } satisfies DecodeJob;
    const decoded = await this.#decoders.run(job, signal);
    const wholeUs = Math.round((performance.now() - started) * 1000);
    metrics.inputUs.inc(label, decoded.decodeUs);
    metrics.queueUs.inc(label, Math.max(0, wholeUs - decoded.decodeUs));
    return decoded;
  }

  /** Refuses new images from now on. Resolves when all admitted images are answered. */
  async drain(): Promise<void> {
    this.#draining = true;
    while (this.#admitted > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    await this.#decoders.close();
  }

  #count(items: number): void {
    this.#admitted += items;
    this.#options.metrics.pending.set(this.#admitted);
  }
}
