import { CodedError } from '../errors.ts';
import type { InferenceRuntime, InferenceSession, LoadTicket } from '../inference/session.ts';
import type { ModelManifest, RuntimeName } from './manifest.ts';
import type { ModelSources } from './model-sources.ts';
import { toModelKey } from './model-store.ts';
import { type CreateSha256, readVerifiedChunks } from './verified-chunks.ts';

export interface ModelLoaderOptions {
  readonly sources: ModelSources;
  readonly createSha256: CreateSha256;
  /**
   * Boots a runtime. Called once per isolate and name, and again only if booting failed or the runtime was dropped to make
   * room.
   *
   * @throws {CodedError} `model_manifest_invalid` if this deployment does not have it.
   */
  readonly bootRuntime: (name: RuntimeName) => Promise<InferenceRuntime>;
  readonly now: () => number;
}

/** When the parts of a load were done, milliseconds from its start. They overlap, and need not add up. */
export interface LoadTimes {
  bootedMs: number;
  fetchedMs: number;
  createdMs: number;
}

/** Makes sessions: a runtime boots while the model's bytes are on their way into its memory. */
export class ModelLoader {
  readonly #options: ModelLoaderOptions;
  readonly #runtimes = new Map<RuntimeName, InferenceRuntime>();
  readonly #booting = new Map<RuntimeName, Promise<InferenceRuntime>>();

  constructor(options: ModelLoaderOptions) {
    this.#options = options;
  }

  /** Those that have booted. */
  runtimes(): InferenceRuntime[] {
    return [...this.#runtimes.values()];
  }

  /** Bytes of linear memory one runtime holds; 0 before it has booted. */
  memoryBytes(name: RuntimeName): number {
    return this.#runtimes.get(name)?.memoryBytes() ?? 0;
  }

  /** Drops a runtime with all its memory. The next load boots it again. */
  drop(name: RuntimeName): void {
    this.#runtimes.delete(name);
  }

  /**
   * @param ticket if it is abandoned, the load soon ends and frees its memory.
   * @param times receives the times of the parts as they end.
   * @throws {CodedError} `model_unavailable`, `model_corrupt`, `model_manifest_invalid`, `model_out_of_memory`.
   */
  async load(manifest: ModelManifest, ticket: LoadTicket, times: LoadTimes): Promise<InferenceSession> {
    const { sources, createSha256, now } = this.#options;
    const startedAt = now();
    const sinceStart = () => now() - startedAt;
    let booting: Promise<InferenceRuntime> | undefined;
    const key = toModelKey(manifest.name, manifest.version, manifest.edgeFile.file);
    const size = { fileBytes: manifest.edgeFile.bytes, runtimeMemoryBytes: manifest.runtimeMemoryBytes };
    const loading = sources.read(
      key,
      async (object) => {
        const verified = readVerifiedChunks(object, manifest.edgeFile, createSha256);
        const chunks = tellEnd(verified, () => {
          times.fetchedMs = sinceStart();
        });
        const runtime = await (booting ?? this.#boot(manifest.runtime));
        times.bootedMs = sinceStart();
        const session = await runtime.createSession(chunks, size, ticket);
        times.createdMs = sinceStart();
        if (ticket.abandoned) {
          session.release();
          throw new CodedError('model_unavailable', 'The model load was given up.');
        }
        assertNames(session, manifest);
        return session;
      },
      () => ticket.abandoned,
    );
    // The request to the store has been sent by now, so the runtime boots while the answer is on its way.
    booting = this.#boot(manifest.runtime);
    booting.catch(() => undefined);
    return await loading;
  }

  async #boot(name: RuntimeName): Promise<InferenceRuntime> {
    const booted = this.#runtimes.get(name);
    if (booted) return booted;
    // Booting does no I/O, so it cannot hang on another request's cancelled promise.
    let booting = this.#booting.get(name);
    if (!booting) {
      booting = this.#options.bootRuntime(name).finally(() => this.#booting.delete(name));
      this.#booting.set(name, booting);
    }
    const runtime = await booting;
    this.#runtimes.set(name, runtime);
    return runtime;
  }
}

async function* tellEnd<T>(items: AsyncIterable<T>, onEnd: () => void): AsyncGenerator<T, void, undefined> {
  yield* items;
  onEnd();
}

function assertNames(session: InferenceSession, manifest: ModelManifest): void {
  if (session.inputName === manifest.input.name && session.outputName === manifest.output.name) return;
  session.release();
  throw new CodedError(
    'model_manifest_invalid',
    `The model's input and output are "${session.inputName}" and "${session.outputName}", ` +
      `the manifest says "${manifest.input.name}" and "${manifest.output.name}".`,
    { retryAfterSeconds: 30 },
  );
}
