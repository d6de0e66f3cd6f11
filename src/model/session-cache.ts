import { CodedError } from '../errors.ts';
import type { InferenceRuntime, InferenceSession, LoadTicket } from '../inference/session.ts';
import { withTimeout } from '../lib/with-timeout.ts';
import { modelLoadCooldownMs, modelLoadTimeoutMs } from '../limits.ts';
import type { ModelManifest } from './manifest.ts';
import { fitsIsolate, MemoryBudget } from './memory-budget.ts';
import { type LoadTimes, ModelLoader, type ModelLoaderOptions } from './model-loader.ts';

export interface SessionCacheOptions extends Omit<ModelLoaderOptions, 'now'> {
  /** Called for each load that succeeded. */
  readonly onLoaded?: (load: ModelLoad) => void;
  readonly loadTimeoutMs?: number;
  readonly cooldownMs?: number;
  readonly maxRuntimeBytes?: number;
  readonly now?: () => number;
}

/** One load, for logs. */
export interface ModelLoad extends Readonly<LoadTimes> {
  /** `name/version`. */
  readonly model: string;
  /** Linear memory all runtimes now have. */
  readonly memoryBytes: number;
}

/** Keeps work alive after the request that started it has been cancelled: `ctx.waitUntil`. */
export type KeepAlive = (work: Promise<unknown>) => void;

interface Loaded {
  readonly session: InferenceSession;
  /** Requests that use it now. It is not released while there are any. */
  users: number;
}

interface Attempt {
  readonly ticket: LoadTicket;
  readonly loaded: Promise<Loaded>;
}

/**
 * One session per model version and isolate. The first request loads it. Others wait for the same load, each until its
 * own deadline. A load that fails or hangs is forgotten, so that the next request starts again: only settled sessions
 * are kept. If memory is short, the model that has been idle longest is released. A model in use is never released.
 */
export class SessionCache {
  readonly #options: SessionCacheOptions;
  readonly #now: () => number;
  readonly #budget: MemoryBudget;
  /** In order of last use, oldest first. */
  readonly #ready = new Map<string, Loaded>();
  readonly #attempts = new Map<string, Attempt>();
  readonly #failures = new Map<string, { readonly error: unknown; readonly until: number }>();
  readonly #warmed = new WeakSet<InferenceSession>();
  readonly #loader: ModelLoader;

  constructor(options: SessionCacheOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#budget = new MemoryBudget(options.maxRuntimeBytes);
    this.#loader = new ModelLoader({ ...options, now: this.#now });
  }

  /** Bytes of linear memory all runtimes hold; 0 before one has booted. */
  memoryBytes(): number {
    return this.#loader.runtimes().reduce((total, runtime) => total + runtime.memoryBytes(), 0);
  }

  /** Runtimes that have booted in this isolate, and which kernels they run. */
  runtimes(): Pick<InferenceRuntime, 'name' | 'kernels'>[] {
    return this.#loader.runtimes().map(({ name, kernels }) => ({ name, ...(kernels && { kernels }) }));
  }

  /** Models ready to run in this isolate, as `name/version`. */
  loadedModels(): string[] {
    return [...this.#ready.keys()];
  }

  /**
   * Lends a session for as long as `use` runs.
   *
   * @param keepAlive receives the load if this call starts one, so that the load goes on if the client hangs up.
   * @throws {CodedError} `model_unavailable`, `model_corrupt`, `model_manifest_invalid`,
   *   `model_out_of_memory`, `model_requires_batch_tier`; whatever `use` throws.
   */
  async withSession<T>(
    manifest: ModelManifest,
    keepAlive: KeepAlive,
    use: (session: InferenceSession) => Promise<T>,
  ): Promise<T> {
    const key = `${manifest.name}/${manifest.version}`;
    const loaded = this.#ready.get(key) ?? (await this.#join(key, manifest, keepAlive));
    loaded.users++;
    if (this.#ready.get(key) === loaded) {
      this.#ready.delete(key);
      this.#ready.set(key, loaded);
    }
    try {
      return await use(loaded.session);
    } finally {
      loaded.users--;
    }
  }

  /** @throws {CodedError} `model_requires_batch_tier` if the model never runs in an isolate. */
  assertFits(manifest: ModelManifest): void {
    const { name, version, tier } = manifest;
    if (tier === 'edge' && fitsIsolate(manifest)) return;
    throw new CodedError('model_requires_batch_tier', `${name}/${version} does not fit an edge isolate.`);
  }

  /**
   * Starts loading a model that will be needed in a moment. Never fails: the request that needs the model gets the
   * error.
   */
  preload(manifest: ModelManifest, keepAlive: KeepAlive): void {
    const key = `${manifest.name}/${manifest.version}`;
    if (this.#ready.has(key) || this.#attempts.has(key)) return;
    this.withSession(manifest, keepAlive, async () => undefined).catch(() => undefined);
  }

  /** Loads a model and runs it once on an empty image, because V8 compiles a WebAssembly function at its first call. */
  async warm(manifest: ModelManifest, keepAlive: KeepAlive): Promise<void> {
    await this.withSession(manifest, keepAlive, async (session) => {
      if (this.#warmed.has(session)) return;
      const { shape } = manifest.input;
      const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
      await session.run({ datatype: 'FP32', shape, data });
      this.#warmed.add(session);
    });
  }

  async #join(key: string, manifest: ModelManifest, keepAlive: KeepAlive): Promise<Loaded> {
    const failure = this.#failures.get(key);
    if (failure && this.#now() < failure.until) throw failure.error;
    let attempt = this.#attempts.get(key);
    if (!attempt) {
      attempt = this.#start(key, manifest);
      keepAlive(attempt.loaded.catch(() => undefined));
    }
    return await this.#waitFor(key, attempt);
  }

  #start(key: string, manifest: ModelManifest): Attempt {
    this.#makeRoom(key, manifest);
    const ticket: LoadTicket = { abandoned: false };
    const times = { bootedMs: 0, fetchedMs: 0, createdMs: 0 };
    const loaded = this.#loader.load(manifest, ticket, times).then((session) => ({ session, users: 0 }));
    const attempt: Attempt = { ticket, loaded };
    this.#attempts.set(key, attempt);
    this.#failures.delete(key);
    loaded.then(
      (value) => {
        this.#attempts.delete(key);
        this.#ready.set(key, value);
        this.#budget.measure(key, value.session.memoryBytes);
        this.#options.onLoaded?.({ model: key, memoryBytes: this.memoryBytes(), ...times });
      },
      (error: unknown) => {
        if (this.#attempts.get(key) !== attempt) return; // given up already, see #waitFor
        const until = this.#now() + (this.#options.cooldownMs ?? modelLoadCooldownMs);
        this.#failures.set(key, { error, until });
        this.#forget(key);
      },
    );
    return attempt;
  }

  #forget(key: string): void {
    this.#attempts.delete(key);
    this.#budget.release(key);
  }

  #makeRoom(key: string, manifest: ModelManifest): void {
    this.assertFits(manifest);
    const fits = () => this.#budget.fits(key, manifest, this.#loader.memoryBytes('onnxruntime-web'));
    if (!fits()) this.#dropIdleRuntime(manifest);
    for (const [idle, loaded] of this.#ready) {
      if (fits()) break;
      if (loaded.users > 0) continue;
      loaded.session.release();
      this.#ready.delete(idle);
      this.#budget.release(idle);
      this.#dropIdleRuntime(manifest);
    }
    if (!fits()) {
      throw new CodedError('model_out_of_memory', `There is no room for ${key} beside the models in use.`, {
        retryAfterSeconds: 1,
      });
    }
    this.#budget.take(key, manifest);
  }

  /** Drops a runtime whose heap never shrinks, if no model uses it and another runtime needs the room. */
  #dropIdleRuntime({ runtime }: ModelManifest): void {
    if (runtime === 'onnxruntime-web' || this.#budget.uses('onnxruntime-web')) return;
    this.#loader.drop('onnxruntime-web');
  }

  async #waitFor(key: string, attempt: Attempt): Promise<Loaded> {
    const timeoutMs = this.#options.loadTimeoutMs ?? modelLoadTimeoutMs;
    const late = new CodedError(
      'model_unavailable',
      `The model ${key} did not load within ${timeoutMs} ms.`,
      {
        retryAfterSeconds: 5,
      },
    );
    try {
      return await withTimeout(attempt.loaded, timeoutMs, () => late);
    } catch (error) {
      if (error === late && this.#attempts.get(key) === attempt) {
        attempt.ticket.abandoned = true;
        attempt.ticket.free?.();
        this.#forget(key);
      }
      throw error;
    }
  }
}
