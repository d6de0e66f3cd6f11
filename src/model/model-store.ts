/** Where model files live. Adapters: r2-model-store.ts; tests run the same suite on each. */
export interface ModelStore {
  /**
   * @param key `catalog.json` or `<name>/<version>/<file>`.
   * @returns the object, or undefined if there is none. The caller must read or cancel `body`.
   * @throws {CodedError} `model_unavailable` when the store itself does not answer.
   */
  open(key: string): Promise<StoredObject | undefined>;
}

export interface StoredObject {
  readonly bytes: number;
  readonly body: ReadableStream<Uint8Array>;
}

/** @returns the store key of one file of a model version. */
export function toModelKey(name: string, version: string, file: string): string {
  return `${name}/${version}/${file}`;
}

export const catalogKey = 'catalog.json';
export const manifestFile = 'manifest.json';
