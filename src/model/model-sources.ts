import { CodedError } from '../errors.ts';
import { withTimeout } from '../lib/with-timeout.ts';
import { modelReadTimeoutMs } from '../limits.ts';
import type { ModelStore, StoredObject } from './model-store.ts';

/** A store with the name it has in logs. */
export interface ModelSource {
  readonly name: string;
  readonly store: ModelStore;
}

/** Called for every source that failed, also if another one then served. */
export type OnSourceFailed = (source: string, key: string, error: unknown) => void;

/**
 * Reads an object from the first source that gives it whole. If a source is down, ends early, hangs or has a wrong hash,
 * the next source is tried.
 */
export class ModelSources {
  readonly #sources: readonly ModelSource[];
  readonly #onFailed: OnSourceFailed;

  constructor(sources: readonly ModelSource[], onFailed: OnSourceFailed = () => undefined) {
    this.#sources = sources;
    this.#onFailed = onFailed;
  }

  /**
   * @param use consumes the object. Its error counts as a failure of the source, unless `isFinal` says that no other
   *   source could help.
   * @throws {CodedError} the last source's error; `model_unavailable` if no source has the object.
   */
  async read<T>(
    key: string,
    use: (object: StoredObject) => Promise<T>,
    isFinal: (error: unknown) => boolean = () => false,
  ): Promise<T> {
    let failure: unknown;
    for (const { name, store } of this.#sources) {
      try {
        const object = await withTimeout(store.open(key), modelReadTimeoutMs, () => silent(name));
        if (!object) throw missing(key);
        return await use(object);
      } catch (error) {
        if (isFinal(error)) throw error;
        this.#onFailed(name, key, error);
        // A wrong file is a more useful error than a missing one, so it is kept.
        if (failure === undefined || !isMissing(error)) failure = error;
      }
    }
    throw toFinalError(failure ?? missing(key));
  }
}

function silent(source: string): CodedError {
  return new CodedError('model_unavailable', 'The model store does not answer.', {
    cause: `${source} gave nothing for ${modelReadTimeoutMs} ms`,
    retryAfterSeconds: 2,
  });
}

/** Makes an error that allows a retry, because a later request may find the store repaired. */
function toFinalError(failure: unknown): CodedError {
  if (!(failure instanceof CodedError)) {
    return new CodedError('model_unavailable', 'The model store does not answer.', {
      cause: failure,
      retryAfterSeconds: 2,
    });
  }
  if (failure.retryAfterSeconds !== undefined) return failure;
  return new CodedError(failure.code, failure.message, { cause: failure, retryAfterSeconds: 30 });
}

const missingCause = 'no such object';

function missing(key: string): CodedError {
  return new CodedError('model_unavailable', `The model store has no object "${key}".`, {
    cause: missingCause,
    retryAfterSeconds: 30,
  });
}

/** Whether every source says that it has no such object. */
export function isMissing(error: unknown): boolean {
  return error instanceof CodedError && error.cause === missingCause;
}
