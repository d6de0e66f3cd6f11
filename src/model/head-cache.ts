import { CodedError } from '../errors.ts';
import { maxHeadBytes, maxHeadsBytes } from '../limits.ts';
import { type Head, parseHead } from './head.ts';
import type { ModelManifest } from './manifest.ts';
import type { ModelSources } from './model-sources.ts';
import { toModelKey } from './model-store.ts';
import { type CreateSha256, readVerifiedChunks } from './verified-chunks.ts';

/**
 * Heads that an isolate keeps beside its sessions, within a budget of their own: the one that was used longest ago makes
 * room. A head that is not there is one small object away. Only settled heads are kept, never a request's promise.
 */
export class HeadCache {
  readonly #sources: ModelSources;
  readonly #createSha256: CreateSha256;
  readonly #maxBytes: number;
  /** In order of last use, oldest first. */
  readonly #heads = new Map<string, { readonly head: Head; readonly bytes: number }>();
  #bytes = 0;

  constructor(sources: ModelSources, createSha256: CreateSha256, maxBytes: number = maxHeadsBytes) {
    this.#sources = sources;
    this.#createSha256 = createSha256;
    this.#maxBytes = maxBytes;
  }

  /** Bytes of the heads that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @throws {CodedError} `model_manifest_invalid`, `model_corrupt`, `model_unavailable`. */
  async read(manifest: ModelManifest): Promise<Head> {
    const { head: file } = manifest.files;
    const key = toModelKey(manifest.name, manifest.version, file?.file ?? '');
    if (!file || file.bytes > maxHeadBytes) {
      throw new CodedError('model_manifest_invalid', `${key} is no head of at most ${maxHeadBytes} bytes.`);
    }
    const known = this.#heads.get(key);
    if (known) {
      this.#heads.delete(key);
      this.#heads.set(key, known);
      return known.head;
    }
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
    this.#keep(key, head, file.bytes);
    return head;
  }

  #keep(key: string, head: Head, bytes: number): void {
    if (this.#heads.has(key)) return; // another request was faster
    this.#heads.set(key, { head, bytes });
    this.#bytes += bytes;
    for (const [oldest, { bytes: freed }] of this.#heads) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#heads.delete(oldest);
      this.#bytes -= freed;
    }
  }
}
