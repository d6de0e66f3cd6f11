import type { ClassifyChoice } from '../../classify/choice.ts';
import type { ItemResult } from '../../classify/classification.ts';
import { toPredictions } from '../../classify/classify.ts';
import { CodedError } from '../../errors.ts';
import { toProblem } from '../../problem.ts';
import type { DecodedImage, DecodeJob } from './decode-worker.ts';
import type { TierMetrics } from './tier-metrics.ts';
import type { TierNetwork } from './tier-model.ts';
import { WorkerPool } from './worker-pool.ts';

/** The largest image there is takes about 2 s; what takes this long is not going to end. */
const decodeTimeoutMs = 30_000;

export interface ClassifierOptions {
  readonly decodeWorkers: number;
  /** Images admitted and not answered. */
  readonly maxQueueItems: number;
  readonly metrics: TierMetrics;
}

/** What may be chosen for the images of a chunk: a tier always decodes exactly. */
export type TierChoice = Omit<ClassifyChoice, 'decode'>;

/** Room of the tier's queue for the images of one request. */
export interface Admission {
  /** The request takes the room of so many images from now on, whether the queue is full or not. */
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

  /** Images that may be decoded at once: more would only be held in memory. */
  get decodeWorkers(): number {
    return this.#options.decodeWorkers;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /**
   * Takes room for so many images.
   *
   * @returns gives the room back, once.
   * @throws {CodedError} `tier_busy` with a time after which there may be room.
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
   * @param signal aborted when the caller has gone: what waits to be decoded is dropped.
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
    // A view would take all of its buffer along: the whole body of a request, for each image in it.
    const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
    const started = performance.now();
    const job = { bytes: own, spec, orientation, strict } satisfies DecodeJob;
    const decoded = await this.#decoders.run(job, signal);
    const wholeUs = Math.round((performance.now() - started) * 1000);
    metrics.inputUs.inc(label, decoded.decodeUs);
    metrics.queueUs.inc(label, Math.max(0, wholeUs - decoded.decodeUs));
    return decoded;
  }

  /** Refuses what is new from now on; resolves when all that was admitted is answered. */
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
