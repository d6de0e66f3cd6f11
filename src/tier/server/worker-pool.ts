import { Worker } from 'node:worker_threads';
import { CodedError, type ErrorCode } from '../../errors.ts';

/** A worker's answer: the value, or the parts of a coded error that can be cloned. Answers come in the order of jobs. */
export type WorkerAnswer<T> =
  | { readonly value: T }
  | { readonly error: { readonly code: ErrorCode; readonly message: string } };

export interface PoolOptions {
  readonly size: number;
  /** Jobs that a worker gets at once. With 2 the next one is there when it ends one. */
  readonly depth: number;
  readonly workerData?: unknown;
  /** If a job takes longer after the worker has begun it, the worker is ended and the job fails. */
  readonly timeoutMs: number;
  /** Makes the error of a job whose worker timed out, crashed or ran out of memory. */
  readonly onDeath: (reason: string, cause?: unknown) => CodedError;
}

interface Job<T> {
  readonly message: unknown;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

interface Member<T> {
  readonly thread: Worker;
  /** The worker is working on the first one. */
  readonly jobs: Job<T>[];
  timer?: NodeJS.Timeout;
  lateBy?: number;
  /** Whether the worker has ever finished a job. */
  hasAnswered: boolean;
  error?: unknown;
}

/** If threads die before they answer anything, the next one waits this long to start, then twice as long, and so on. */
const firstRestartMs = 50;
const maxRestartMs = 5000;
/** After this many failed starts all waiting jobs fail, because no thread can be started here. */
const maxFailedStarts = 5;

/**
 * Threads that do one job at a time. If a thread dies, only the job that it was working on fails. Other threads do the
 * jobs that waited behind it, and a new thread replaces it.
 */
export class WorkerPool<T> {
  readonly #url: URL;
  readonly #options: PoolOptions;
  readonly #waiting: Job<T>[] = [];
  readonly #members = new Set<Member<T>>();
  #closed = false;
  #failedStarts = 0;

  constructor(url: URL, options: PoolOptions) {
    this.#url = url;
    this.#options = options;
    for (let index = 0; index < options.size; index++) this.#spawn();
  }

  get size(): number {
    return this.#options.size;
  }

  /**
   * @param signal aborted when nobody wants the result: if the job still waits, it is dropped.
   * @throws {CodedError} the worker's error, or that of `onDeath`; `client_closed` if the job was dropped.
   */
  async run(message: unknown, signal?: AbortSignal): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const job = { message, resolve, reject };
    this.#waiting.push(job);
    const drop = () => {
      const at = this.#waiting.indexOf(job);
      if (at < 0) return;
      this.#waiting.splice(at, 1);
      reject(new CodedError('client_closed', 'The caller has gone.'));
    };
    if (signal?.aborted) drop();
    else signal?.addEventListener('abort', drop);
    this.#dispatch();
    try {
      return await promise;
    } finally {
      // The signal may belong to a whole chunk, and would keep each of its images in memory until the last one is done.
      signal?.removeEventListener('abort', drop);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(Array.from(this.#members, ({ thread }) => thread.terminate()));
  }

  #spawn(): void {
    const thread = new Worker(this.#url, {
      workerData: this.#options.workerData,
      // A job's memory is garbage at once, so a larger young generation would only use more memory.
      resourceLimits: { maxYoungGenerationSizeMb: 16 },
    });
    const member: Member<T> = { thread, jobs: [], hasAnswered: false };
    // 'exit' follows, and fails the job.
    thread.on('error', (error) => {
      member.error = error;
    });
    thread.on('exit', () => this.#bury(member));
    thread.on('message', (answer: WorkerAnswer<T>) => this.#settle(member, answer));
    thread.unref();
    this.#members.add(member);
  }

  #dispatch(): void {
    while (this.#waiting.length > 0) {
      const member = this.#leastBusy();
      if (!member) return;
      const job = this.#waiting.shift()!;
      member.jobs.push(job);
      if (member.jobs.length === 1) this.#begin(member);
      member.thread.postMessage(job.message);
    }
  }

  #leastBusy(): Member<T> | undefined {
    let found: Member<T> | undefined;
    for (const member of this.#members) {
      if (member.jobs.length < (found?.jobs.length ?? this.#options.depth)) found = member;
    }
    return found;
  }

  /** Begins the worker's first job. */
  #begin(member: Member<T>): void {
    member.thread.ref();
    member.timer = setTimeout(() => {
      member.lateBy = this.#options.timeoutMs;
      void member.thread.terminate();
    }, this.#options.timeoutMs);
  }

  #settle(member: Member<T>, answer: WorkerAnswer<T>): void {
    clearTimeout(member.timer);
    member.hasAnswered = true;
    this.#failedStarts = 0;
    const job = member.jobs.shift();
    if (member.jobs.length > 0) this.#begin(member);
    else member.thread.unref();
    if ('value' in answer) job?.resolve(answer.value);
    else job?.reject(new CodedError(answer.error.code, answer.error.message));
    this.#dispatch();
  }

  #bury(member: Member<T>): void {
    clearTimeout(member.timer);
    this.#members.delete(member);
    const [begun, ...others] = member.jobs;
    this.#waiting.unshift(...others);
    if (this.#closed) this.#rejectWaiting('the tier stopped');
    else this.#replace(member);
    begun?.reject(
      this.#options.onDeath(
        member.lateBy === undefined ? 'it crashed' : `it took over ${member.lateBy} ms`,
        member.error,
      ),
    );
    this.#dispatch();
  }

  #replace({ hasAnswered, error }: Member<T>): void {
    if (hasAnswered) {
      this.#spawn();
      return;
    }
    this.#failedStarts++;
    if (this.#failedStarts >= maxFailedStarts) this.#rejectWaiting('no thread can be started', error);
    const delayMs = Math.min(maxRestartMs, firstRestartMs * 2 ** (this.#failedStarts - 1));
    setTimeout(() => {
      if (this.#closed) return;
      this.#spawn();
      this.#dispatch();
    }, delayMs);
  }

  #rejectWaiting(reason: string, cause?: unknown): void {
    for (const job of this.#waiting.splice(0)) job.reject(this.#options.onDeath(reason, cause));
  }
}
