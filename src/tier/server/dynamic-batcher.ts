/** Runs the inputs of one batch. */
export type RunBatch<I, O> = (inputs: readonly I[]) => Promise<readonly O[]>;

export interface BatcherOptions {
  /** Ascending. A batch of the largest size that can be filled starts at once. The last size is the maximum. */
  readonly preferredSizes: readonly number[];
  /** How long an input may wait for others while an instance is idle. */
  readonly maxQueueDelayMs: number;
  /** Batches that run at the same time. */
  readonly instances: number;
  /**
   * Batches made ready while every instance is busy, so that an instance need not wait for this thread between two batches.
   * Only full batches are made ready; others wait for more inputs.
   */
  readonly ahead: number;
}

interface Waiting<I, O> {
  readonly input: I;
  readonly since: number;
  readonly resolve: (output: O) => void;
  readonly reject: (error: unknown) => void;
}

/** Gathers inputs of many requests into batches, as Triton's dynamic batcher does. */
export class DynamicBatcher<I, O> {
  readonly #run: RunBatch<I, O>;
  readonly #options: BatcherOptions;
  readonly #onQueued: (waitedUs: number) => void;
  readonly #waiting: Waiting<I, O>[] = [];
  #running = 0;
  #looking = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    run: RunBatch<I, O>,
    options: BatcherOptions,
    onQueued: (waitedUs: number) => void = () => undefined,
  ) {
    this.#run = run;
    this.#options = options;
    this.#onQueued = onQueued;
  }

  /** @throws the error of the input's batch. */
  submit(input: I): Promise<O> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ input, since: performance.now(), resolve, reject });
      this.#look();
    });
  }

  /** Runs after a caller has submitted all inputs that it submits at once. */
  #look(): void {
    if (this.#looking) return;
    this.#looking = true;
    queueMicrotask(() => {
      this.#looking = false;
      this.#dispatch();
    });
  }

  #dispatch(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { instances, ahead, preferredSizes, maxQueueDelayMs } = this.#options;
    while (this.#running < instances && this.#waiting.length > 0) {
      const size = this.#sizeNow();
      if (size === 0) {
        const left = maxQueueDelayMs - (performance.now() - this.#waiting[0]!.since);
        this.#timer = setTimeout(() => this.#dispatch(), Math.max(1, left));
        return;
      }
      void this.#start(this.#waiting.splice(0, size));
    }
    const full = preferredSizes.at(-1)!;
    while (this.#running < instances + ahead && this.#waiting.length >= full) {
      void this.#start(this.#waiting.splice(0, full));
    }
  }

  /** @returns the size of the batch to start now; 0 to wait for more inputs. */
  #sizeNow(): number {
    const { preferredSizes, maxQueueDelayMs } = this.#options;
    const filled = preferredSizes.findLast((size) => size <= this.#waiting.length);
    if (filled !== undefined) return filled;
    const late = performance.now() - this.#waiting[0]!.since >= maxQueueDelayMs;
    return late ? this.#waiting.length : 0;
  }

  async #start(batch: readonly Waiting<I, O>[]): Promise<void> {
    this.#running++;
    const now = performance.now();
    for (const { since } of batch) this.#onQueued(Math.round((now - since) * 1000));
    try {
      const outputs = await this.#run(batch.map(({ input }) => input));
      for (const [index, { resolve }] of batch.entries()) resolve(outputs[index]!);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      this.#running--;
      this.#dispatch();
    }
  }
}
