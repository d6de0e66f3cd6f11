import { Worker } from 'node:worker_threads';
import { CodedError, type ErrorCode } from '../errors.ts';

/** What a worker answers: the value, or a coded error in parts that can be cloned. */
export type WorkerAnswer<T> =
  | { readonly value: T }
  | { readonly error: { readonly code: ErrorCode; readonly message: string } };

export interface PoolOptions {
  readonly size: number;
  readonly workerData?: unknown;
  /** A job that takes longer is given up with its worker. */
  readonly timeoutMs: number;
  /** What a job ends in whose worker timed out, crashed or ran out of memory. */
  readonly onDeath: (reason: string) => CodedError;
}

interface Job<T> {
  readonly message: unknown;
  readonly transfer: readonly ArrayBuffer[];
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Threads that take one job each. A thread that dies takes its own job with it and no other: the job
 * fails, a new thread takes its place.
 */
export class WorkerPool<T> {
  readonly #url: URL;
  readonly #options: PoolOptions;
  readonly #idle: Worker[] = [];
  readonly #waiting: Job<T>[] = [];
  readonly #all = new Set<Worker>();
  #closed = false;

  constructor(url: URL, options: PoolOptions) {
    this.#url = url;
    this.#options = options;
    for (let index = 0; index < options.size; index++) this.#spawn();
  }

  get size(): number {
    return this.#options.size;
  }

  /** @throws {CodedError} the worker's own, or `onDeath`'s. */
  run(message: unknown, transfer: readonly ArrayBuffer[] = []): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ message, transfer, resolve, reject });
      this.#dispatch();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(Array.from(this.#all, (worker) => worker.terminate()));
  }

  #spawn(): void {
    const worker = new Worker(this.#url, { workerData: this.#options.workerData });
    worker.on('error', () => undefined); // 'exit' follows, and says what becomes of the job
    worker.on('exit', () => {
      this.#all.delete(worker);
      const place = this.#idle.indexOf(worker);
      if (place >= 0) this.#idle.splice(place, 1);
      if (!this.#closed) this.#spawn();
    });
    worker.unref();
    this.#all.add(worker);
    this.#idle.push(worker);
    this.#dispatch();
  }

  #dispatch(): void {
    while (this.#idle.length > 0 && this.#waiting.length > 0) {
      this.#start(this.#idle.pop()!, this.#waiting.shift()!);
    }
  }

  #start(worker: Worker, job: Job<T>): void {
    worker.ref();
    const finish = () => {
      clearTimeout(timer);
      worker.off('message', onMessage);
      worker.off('exit', onExit);
      worker.unref();
    };
    const onMessage = (answer: WorkerAnswer<T>) => {
      finish();
      this.#idle.push(worker);
      if ('value' in answer) job.resolve(answer.value);
      else job.reject(new CodedError(answer.error.code, answer.error.message));
      this.#dispatch();
    };
    const onExit = () => {
      finish();
      job.reject(this.#options.onDeath('it crashed'));
    };
    const timer = setTimeout(() => {
      finish();
      job.reject(this.#options.onDeath(`it took over ${this.#options.timeoutMs} ms`));
      void worker.terminate();
    }, this.#options.timeoutMs);
    worker.on('message', onMessage);
    worker.on('exit', onExit);
    worker.postMessage(job.message, [...job.transfer]);
  }
}
