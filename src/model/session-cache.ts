import { CodedError } from '../errors.ts';
import type { InferenceRuntime, InferenceSession, LoadTicket } from '../inference/session.ts';
import { maxEdgeModelBytes, modelLoadCooldownMs, modelLoadTimeoutMs } from '../limits.ts';
import type { CatalogReader } from './catalog-reader.ts';
import type { ModelManifest } from './manifest.ts';
import { type CreateSha256, readVerifiedChunks } from './verified-chunks.ts';

export interface SessionCacheOptions {
  readonly catalog: CatalogReader;
  /** Boots the runtime; called once per isolate, and again only if it failed. */
  readonly bootRuntime: () => Promise<InferenceRuntime>;
  readonly createSha256: CreateSha256;
  /** Told of each load that succeeded: `name/version` and the bytes of linear memory now taken. */
  readonly onLoaded?: (model: string, memoryBytes: number) => void;
  readonly loadTimeoutMs?: number;
  readonly cooldownMs?: number;
  readonly now?: () => number;
}

interface Attempt {
  readonly ticket: LoadTicket;
  readonly session: Promise<InferenceSession>;
}

/** Keeps work alive after the request that started it has been cancelled: `ctx.waitUntil`. */
export type KeepAlive = (work: Promise<unknown>) => void;

/**
 * One session per model version and isolate. The first request loads; others wait for the same
 * load, each no longer than its own deadline. A load that fails or hangs is forgotten, so that the
 * next request starts afresh: nothing but a settled session is ever kept.
 */
export class SessionCache {
  readonly #options: SessionCacheOptions;
  readonly #now: () => number;
  readonly #ready = new Map<string, InferenceSession>();
  readonly #attempts = new Map<string, Attempt>();
  readonly #failures = new Map<string, { readonly error: unknown; readonly until: number }>();
  #runtime: InferenceRuntime | undefined;
  #booting: Promise<InferenceRuntime> | undefined;

  constructor(options: SessionCacheOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** Bytes of linear memory the runtime has taken; 0 before it has booted. */
  memoryBytes(): number {
    return this.#runtime?.memoryBytes() ?? 0;
  }

  /** Models ready to run in this isolate, as `name/version`. */
  loadedModels(): string[] {
    return [...this.#ready.keys()];
  }

  /**
   * @param keepAlive receives the load if this call starts one, so that a client that hangs up does
   *   not take the load with it.
   * @throws {CodedError} `model_unavailable`, `model_corrupt`, `model_out_of_memory`.
   */
  async getSession(manifest: ModelManifest, keepAlive: KeepAlive): Promise<InferenceSession> {
    const key = `${manifest.name}/${manifest.version}`;
    const ready = this.#ready.get(key);
    if (ready) return ready;

    const failure = this.#failures.get(key);
    if (failure && this.#now() < failure.until) throw failure.error;

    let attempt = this.#attempts.get(key);
    if (!attempt) {
      attempt = this.#start(key, manifest);
      keepAlive(attempt.session.catch(() => undefined));
    }
    return await this.#waitFor(key, attempt);
  }

  #start(key: string, manifest: ModelManifest): Attempt {
    const ticket: LoadTicket = { abandoned: false };
    const attempt: Attempt = { ticket, session: this.#load(manifest, ticket) };
    this.#attempts.set(key, attempt);
    this.#failures.delete(key);
    attempt.session.then(
      (session) => {
        if (ticket.abandoned) session.release();
        else {
          this.#ready.set(key, session);
          this.#options.onLoaded?.(key, this.memoryBytes());
        }
        this.#forget(key, attempt);
      },
      (error: unknown) => {
        if (!ticket.abandoned) {
          const until = this.#now() + (this.#options.cooldownMs ?? modelLoadCooldownMs);
          this.#failures.set(key, { error, until });
        }
        this.#forget(key, attempt);
      },
    );
    return attempt;
  }

  #forget(key: string, attempt: Attempt): void {
    if (this.#attempts.get(key) === attempt) this.#attempts.delete(key);
  }

  async #waitFor(key: string, attempt: Attempt): Promise<InferenceSession> {
    const timeoutMs = this.#options.loadTimeoutMs ?? modelLoadTimeoutMs;
    const deadline = startDeadline(timeoutMs);
    try {
      const session = await Promise.race([attempt.session, deadline.passed]);
      if (session) return session;
    } finally {
      deadline.cancel();
    }
    attempt.ticket.abandoned = true;
    attempt.ticket.free?.();
    this.#forget(key, attempt);
    throw new CodedError('model_unavailable', `The model ${key} did not load within ${timeoutMs} ms.`, {
      retryAfterSeconds: 5,
    });
  }

  async #load(manifest: ModelManifest, ticket: LoadTicket): Promise<InferenceSession> {
    if (manifest.tier !== 'edge' || manifest.model.bytes > maxEdgeModelBytes) {
      throw new CodedError(
        'model_requires_batch_tier',
        `${manifest.name}/${manifest.version} does not fit an edge isolate.`,
      );
    }
    // The store is asked first: its answer travels while the runtime boots on this thread.
    const opening = this.#options.catalog.openModel(manifest);
    opening.catch(() => undefined);
    const runtime = await this.#boot();
    const object = await opening;
    const chunks = readVerifiedChunks(object, manifest.model, this.#options.createSha256);
    const session = await runtime.createSession(chunks, manifest.model.bytes, ticket);
    if (session.inputName !== manifest.input.name || session.outputName !== manifest.output.name) {
      session.release();
      throw new CodedError(
        'model_manifest_invalid',
        `The model's input and output are "${session.inputName}" and "${session.outputName}", ` +
          `the manifest says "${manifest.input.name}" and "${manifest.output.name}".`,
      );
    }
    return session;
  }

  async #boot(): Promise<InferenceRuntime> {
    if (this.#runtime) return this.#runtime;
    // Booting does no I/O, so it cannot hang on another request's cancelled promise.
    this.#booting ??= this.#options.bootRuntime().finally(() => {
      this.#booting = undefined;
    });
    this.#runtime = await this.#booting;
    return this.#runtime;
  }
}

function startDeadline(ms: number): { readonly passed: Promise<undefined>; cancel(): void } {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), ms);
  return { passed: promise, cancel: () => clearTimeout(timer) };
}
