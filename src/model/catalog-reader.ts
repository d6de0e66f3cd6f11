import { CodedError } from '../errors.ts';
import { catalogTtlMs, maxJsonObjectBytes, maxLabelsBytes } from '../limits.ts';
import {
  type Catalog,
  type ClassLabel,
  type ModelManifest,
  parseCatalog,
  parseLabels,
  parseManifest,
} from './manifest.ts';
import { catalogKey, type ModelStore, manifestFile, toModelKey } from './model-store.ts';
import { type CreateSha256, readVerifiedChunks } from './verified-chunks.ts';

/**
 * Answers "what does this name mean now?" from the store. The catalogue is asked for again when it
 * is older than `catalogTtlMs`; manifests and labels are immutable and kept for the isolate's life.
 * Only settled values are kept: a promise of one request must not be awaited by another for ever.
 */
export class CatalogReader {
  readonly #store: ModelStore;
  readonly #createSha256: CreateSha256;
  readonly #now: () => number;
  readonly #manifests = new Map<string, ModelManifest>();
  readonly #labels = new Map<string, readonly ClassLabel[]>();
  #catalog: { readonly value: Catalog; readonly readAt: number } | undefined;

  constructor(store: ModelStore, createSha256: CreateSha256, now: () => number = Date.now) {
    this.#store = store;
    this.#createSha256 = createSha256;
    this.#now = now;
  }

  /** @throws {CodedError} `model_unavailable`, `model_manifest_invalid`. */
  async readCatalog(): Promise<Catalog> {
    if (this.#catalog && this.#now() - this.#catalog.readAt < catalogTtlMs) return this.#catalog.value;
    try {
      const value = parseCatalog(await this.#readJson(catalogKey));
      this.#catalog = { value, readAt: this.#now() };
      return value;
    } catch (error) {
      // An old answer beats none: names rarely move, and every file is still verified by hash.
      if (this.#catalog) return this.#catalog.value;
      throw error;
    }
  }

  /**
   * @param name a catalogue name, or undefined for the default model.
   * @throws {CodedError} `model_unknown`, `model_unavailable`, `model_manifest_invalid`.
   */
  async readManifest(name: string | undefined): Promise<ModelManifest> {
    const catalog = await this.readCatalog();
    const wanted = name ?? catalog.defaultModel;
    const version = catalog.versions.get(wanted);
    if (version === undefined) {
      const known = [...catalog.versions.keys()].slice(0, 20).join(', ');
      throw new CodedError('model_unknown', `No model is named "${wanted}". Known: ${known}.`);
    }
    const key = toModelKey(wanted, version, manifestFile);
    const cached = this.#manifests.get(key);
    if (cached) return cached;
    const manifest = parseManifest(await this.#readJson(key));
    if (manifest.name !== wanted || manifest.version !== version) {
      throw new CodedError(
        'model_manifest_invalid',
        `${key} describes ${manifest.name}/${manifest.version}.`,
      );
    }
    this.#manifests.set(key, manifest);
    return manifest;
  }

  /** @returns one row for each class, by class index. */
  async readLabels(manifest: ModelManifest): Promise<readonly ClassLabel[]> {
    const key = toModelKey(manifest.name, manifest.version, manifest.labels.file);
    const cached = this.#labels.get(key);
    if (cached) return cached;
    if (manifest.labels.bytes > maxLabelsBytes) {
      throw new CodedError('model_manifest_invalid', `${key} is larger than ${maxLabelsBytes} bytes.`);
    }
    const object = await this.#open(key);
    const decoder = new TextDecoder();
    let text = '';
    for await (const chunk of readVerifiedChunks(object, manifest.labels, this.#createSha256)) {
      text += decoder.decode(chunk, { stream: true });
    }
    const labels = parseLabels(parseJson(key, text), manifest.output.classes);
    this.#labels.set(key, labels);
    return labels;
  }

  /** Opens the model file itself, unread and unverified. */
  openModel(manifest: ModelManifest) {
    return this.#open(toModelKey(manifest.name, manifest.version, manifest.model.file));
  }

  async #readJson(key: string): Promise<unknown> {
    const object = await this.#open(key);
    if (object.bytes > maxJsonObjectBytes) {
      await object.body.cancel();
      throw new CodedError('model_manifest_invalid', `${key} is larger than ${maxJsonObjectBytes} bytes.`);
    }
    return parseJson(key, await new Response(object.body).text());
  }

  async #open(key: string) {
    const object = await this.#store.open(key);
    if (!object) {
      throw new CodedError('model_unavailable', `The model store has no object "${key}".`, {
        retryAfterSeconds: 30,
      });
    }
    return object;
  }
}

function parseJson(key: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CodedError('model_manifest_invalid', `${key} is not JSON.`, { cause, retryAfterSeconds: 30 });
  }
}
