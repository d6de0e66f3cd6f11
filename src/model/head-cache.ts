import { CodedError } from '../errors.ts';
import { RecentMap } from '../lib/recent-map.ts';
import { maxHeadBytes, maxHeadsBytes } from '../limits.ts';
import { type Head, parseHead } from './head.ts';
import type { ModelManifest } from './manifest.ts';
import type { ModelSources } from './model-sources.ts';
import { toModelKey } from './model-store.ts';
import { type CreateSha256, readVerifiedChunks } from './verified-chunks.ts';

/**
 * Heads that an isolate keeps beside its sessions, within a budget of their own. If a new head needs room, the least
 * recently used one is dropped. Reading a head is one read of a small object. Only settled heads are kept, never a
 * request's promise.
 */
export class HeadCache {
  readonly #sources: ModelSources;
  readonly #createSha256: CreateSha256;
  readonly #heads: RecentMap<Head>;

  constructor(sources: ModelSources, createSha256: CreateSha256, maxBytes: number = maxHeadsBytes) {
    this.#sources = sources;
    this.#createSha256 = createSha256;
    this.#heads = new RecentMap(maxBytes);
  }

  /** Bytes of the heads that are kept. */
  get bytes(): number {
    return this.#heads.weight;
  }

  /** @throws {CodedError} `model_manifest_invalid`, `model_corrupt`, `model_unavailable`. */
  async read(manifest: ModelManifest): Promise<Head> {
    const { head: file } = manifest.files;
    const key = toModelKey(manifest.name, manifest.version, file?.file ?? '');
    if (!file || file.bytes > maxHeadBytes) {
      throw new CodedError('model_manifest_invalid', `${key} is no head of at most ${maxHeadBytes} bytes.`);
    }
    const known = this.#heads.get(key);
    if (known) return known;
    const head = await this.#sources.read(key, async (object) => {
      const bytes = new Uint8Array(file.bytes);
      let at = 0;
      for await (const chunk of readVerifiedChunks(object, file, this.#createSha256)) {
        bytes.set(chunk, at);
        at += chunk.byteLength;
      }
      return parseHead(bytes);
    });
    if (head.classes !== manifest.output.classes) {
      throw new CodedError('model_manifest_invalid', `${key} has ${head.classes} classes.`);
    }
    this.#heads.set(key, head, file.bytes);
    return head;
  }
}
