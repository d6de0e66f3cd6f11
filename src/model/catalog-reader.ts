import { CodedError } from '../errors.ts';
import { RecentMap } from '../lib/recent-map.ts';
import { withTimeout } from '../lib/with-timeout.ts';
import {
  catalogTtlMs,
  maxJsonObjectBytes,
  maxKeptLabelsBytes,
  maxKeptManifests,
  maxLabelsBytes,
  modelReadTimeoutMs,
} from '../limits.ts';
import {
  type Catalog,
  type ClassLabel,
  type ModelManifest,
  modelNameSchema,
  modelVersionSchema,
  parseCatalog,
  parseLabels,
  parseManifest,
} from './manifest.ts';
import { isMissing, type ModelSources } from './model-sources.ts';
import { catalogKey, manifestFile, toModelKey } from './model-store.ts';
import { type CreateSha256, readVerifiedChunks } from './verified-chunks.ts';

export interface CatalogOptions {
  readonly ttlMs?: number;
  readonly now?: () => number;
  /** The version of a model that is not in the catalogue; undefined if there is no such model. */
  readonly findVersion?: (name: string) => Promise<string | undefined>;
  /**
   * Whether a model that the catalogue does not list is read where a caller says name and version. The Node tier does: the
   * classifiers that callers of the edge have taught are in no catalogue.
   */
  readonly readsUnlisted?: boolean;
}

/**
 * Finds the version that a name means now. The catalogue is read again when it is older than `ttlMs`. Manifests and
 * labels never change, and the ones used last are kept. Only settled values are kept, because a promise of one request
 * may never settle and must not be awaited by another.
 */
export class CatalogReader {
  readonly #sources: ModelSources;
  readonly #createSha256: CreateSha256;
  readonly #now: () => number;
  readonly #ttlMs: number;
  readonly #findVersion: CatalogOptions['findVersion'];
  readonly #readsUnlisted: boolean;
  readonly #manifests = new RecentMap<ModelManifest>(maxKeptManifests);
  readonly #labels = new RecentMap<readonly ClassLabel[]>(maxKeptLabelsBytes);
  readonly #versions = new RecentMap<{ readonly version: string; readonly readAt: number }>(maxKeptManifests);
  /** How often `forgetVersion` was called. */
  #forgotten = 0;
  #catalog: { readonly value: Catalog; readonly readAt: number } | undefined;

  constructor(
    sources: ModelSources,
    createSha256: CreateSha256,
    { ttlMs = catalogTtlMs, now = Date.now, findVersion, readsUnlisted = false }: CatalogOptions = {},
  ) {
    this.#sources = sources;
    this.#createSha256 = createSha256;
    this.#now = now;
    this.#ttlMs = ttlMs;
    this.#findVersion = findVersion;
    this.#readsUnlisted = readsUnlisted;
  }

  /** @throws {CodedError} `model_unavailable`, `model_manifest_invalid`. */
  async readCatalog(): Promise<Catalog> {
    if (this.#catalog && this.#now() - this.#catalog.readAt < this.#ttlMs) return this.#catalog.value;
    try {
      const value = await this.#readJson(catalogKey, parseCatalog);
      this.#catalog = { value, readAt: this.#now() };
      return value;
    } catch (error) {
      // An old catalogue is better than none: names rarely move, and every file is still verified by its hash.
      if (this.#catalog) return this.#catalog.value;
      throw error;
    }
  }

  /**
   * @param name a catalogue name, or undefined for the default model.
   * @param pinned the version with which some work was begun; default: the version that the name means now.
   * @throws {CodedError} `model_unknown`, `model_unavailable`, `model_manifest_invalid`.
   */
  async readManifest(name: string | undefined, pinned?: string): Promise<ModelManifest> {
    const catalog = await this.readCatalog();
    const wanted = name ?? catalog.defaultModel;
    const current = catalog.versions.get(wanted) ?? (await this.#readVersion(wanted));
    const version = pinned ?? current;
    const isServed = current !== undefined || (this.#readsUnlisted && isModelKeyPart(wanted, version));
    if (version === undefined || !isServed) {
      const known = [...catalog.versions.keys()].slice(0, 20).join(', ');
      throw new CodedError('model_unknown', `No model is named "${wanted}". Known: ${known}.`);
    }
    const key = toModelKey(wanted, version, manifestFile);
    const cached = this.#manifests.get(key);
    if (cached) return cached;
    const manifest = await this.#readJson(key, (json) => {
      const parsed = parseManifest(json);
      if (parsed.name === wanted && parsed.version === version) return parsed;
      throw new CodedError('model_manifest_invalid', `${key} describes ${parsed.name}/${parsed.version}.`);
    }).catch((error: unknown) => {
      // If the catalogue names a missing version, that is a fault of the service. If a caller names one, it is not.
      if (version === current || !isMissing(error)) throw error;
      throw new CodedError('model_unknown', `${wanted} has no version "${version}".`, { cause: error });
    });
    this.#manifests.set(key, manifest);
    return manifest;
  }

  /** Forgets the version of a model that is not in the catalogue. Call it when this isolate knows of a new version. */
  forgetVersion(name: string): void {
    this.#forgotten++;
    this.#versions.delete(name);
  }

  /** Does not remember that there is no version, so that a model answers as soon as it exists. */
  async #readVersion(name: string): Promise<string | undefined> {
    const known = this.#versions.get(name);
    if (known && this.#now() - known.readAt < this.#ttlMs) return known.version;
    const asked = this.#forgotten;
    const version = await this.#findVersion?.(name);
    if (version === undefined) this.#versions.delete(name);
    // An answer from before the last change is not kept.
    else if (asked === this.#forgotten) this.#versions.set(name, { version, readAt: this.#now() });
    return version;
  }

  /** @returns one row for each class, by class index. */
  async readLabels(manifest: ModelManifest): Promise<readonly ClassLabel[]> {
    const key = toModelKey(manifest.name, manifest.version, manifest.labels.file);
    const cached = this.#labels.get(key);
    if (cached) return cached;
    if (manifest.labels.bytes > maxLabelsBytes) {
      throw new CodedError('model_manifest_invalid', `${key} is larger than ${maxLabelsBytes} bytes.`);
    }
    const labels = await this.#sources.read(key, async (object) => {
      const decoder = new TextDecoder();
      let text = '';
      for await (const chunk of readVerifiedChunks(object, manifest.labels, this.#createSha256)) {
        text += decoder.decode(chunk, { stream: true });
      }
      return parseLabels(parseJson(key, text), manifest.output.classes);
    });
    this.#labels.set(key, labels, manifest.labels.bytes);
    return labels;
  }

  /** @param parse throws an error if another source should be asked. */
  #readJson<T>(key: string, parse: (json: unknown) => T): Promise<T> {
    return this.#sources.read(key, async (object) => {
      if (object.bytes > maxJsonObjectBytes) {
        await object.body.cancel();
        throw new CodedError('model_manifest_invalid', `${key} is larger than ${maxJsonObjectBytes} bytes.`);
      }
      return parse(
        parseJson(
          key,
          await withTimeout(new Response(object.body).text(), modelReadTimeoutMs, () => silent(key)),
        ),
      );
    });
  }
}

function silent(key: string): CodedError {
  return new CodedError('model_unavailable', `Reading ${key} was cut short.`, { retryAfterSeconds: 2 });
}

function parseJson(key: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CodedError('model_manifest_invalid', `${key} is not JSON.`, { cause, retryAfterSeconds: 30 });
  }
}

/** Whether a name and a version that nobody has looked up may become a key of the store. */
function isModelKeyPart(name: string, version: string | undefined): boolean {
  return modelNameSchema.safeParse(name).success && modelVersionSchema.safeParse(version).success;
}
